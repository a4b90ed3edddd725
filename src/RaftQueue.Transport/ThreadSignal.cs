namespace RaftQueue.Transport;

/// <summary>Wakes one waiting thread, again and again. A <see cref="Set"/> while nobody waits is remembered once. Safe from any thread.</summary>
internal sealed class ThreadSignal
{
    private readonly object _gate = new();
    private bool _set;

    public void Set()
    {
        lock (_gate)
        {
            _set = true;
            Monitor.Pulse(_gate);
        }
    }

    public void Wait()
    {
        lock (_gate)
        {
            while (!_set) Monitor.Wait(_gate);
            _set = false;
        }
    }
}
