namespace RaftQueue.Server.Endpoints;

/// <summary>
/// Bounds the bytes of request bodies that are held at one time over all connections. A quarter is kept for finishing requests, so
/// that a flood of new work does not stop acks. Safe from any thread.
/// </summary>
public sealed class BodyBudget(long maxBytes)
{
    private readonly long _newWorkBytes = maxBytes / 4 * 3;
    private long _held;

    /// <summary>Bytes held now.</summary>
    public long Held => Interlocked.Read(ref _held);

    /// <summary>False when there is no room; nothing is taken then.</summary>
    public bool TryTake(int bytes, bool finishing)
    {
        if (Interlocked.Add(ref _held, bytes) <= (finishing ? maxBytes : _newWorkBytes)) return true;
        Interlocked.Add(ref _held, -bytes);
        return false;
    }

    public void GiveBack(long bytes) => Interlocked.Add(ref _held, -bytes);
}
