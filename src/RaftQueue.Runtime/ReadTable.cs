namespace RaftQueue.Runtime;

/// <summary>
/// Reads of this node's users that are not answered yet, wherever they wait; bounded in number. Safe from any thread.
/// </summary>
internal sealed class ReadTable(int maxReads)
{
    private readonly Lock _gate = new();
    private readonly HashSet<PendingRead> _reads = [];

    public int Count
    {
        get
        {
            lock (_gate) return _reads.Count;
        }
    }

    /// <summary>False when too many are under way.</summary>
    public bool TryAdd(PendingRead read)
    {
        lock (_gate) return _reads.Count < maxReads && _reads.Add(read);
    }

    /// <summary>It was answered.</summary>
    public void Remove(PendingRead read)
    {
        lock (_gate) _reads.Remove(read);
    }

    /// <summary>The node has stopped: nobody else will answer these.</summary>
    public void Abandon()
    {
        PendingRead[] open;
        lock (_gate) open = [.. _reads];
        foreach (PendingRead read in open) read.Undecided();
    }
}
