namespace RaftQueue.Server.Endpoints;

/// <summary>Bounds how many of something wait at one time. Safe from any thread.</summary>
public sealed class WaitBudget(int max)
{
    private int _waiting;

    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _waiting) <= max) return true;
        Interlocked.Decrement(ref _waiting);
        return false;
    }

    public void Leave() => Interlocked.Decrement(ref _waiting);
}
