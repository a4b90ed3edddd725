namespace RaftQueue.Runtime;

/// <summary>Many threads add, one loop takes everything at once. Bounded by those who add.</summary>
internal sealed class Inbox<T>
{
    private readonly Lock _gate = new();
    private List<T> _incoming = [];
    private List<T> _taken = [];

    /// <summary>Any thread. Whoever adds wakes the loop afterwards.</summary>
    public void Add(T item)
    {
        lock (_gate) _incoming.Add(item);
    }

    /// <summary>The loop only: what was added since, in order; valid until the next call.</summary>
    public List<T> TakeAll()
    {
        _taken.Clear();
        lock (_gate) (_incoming, _taken) = (_taken, _incoming);
        return _taken;
    }
}
