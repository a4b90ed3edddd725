namespace RaftQueue.Checkers;

/// <summary>All calls of a run in order, and a hash of everything that happened, equal for two runs of one seed.</summary>
public sealed class History(Func<long> nowMicroseconds, Action<string> tell)
{
    private readonly List<Operation> _operations = [];
    private long _lastNs;

    /// <summary>A history that was read: nothing happens in it any more.</summary>
    public History(IEnumerable<Operation> operations)
        : this(static () => 0, static _ => { }) => _operations.AddRange(operations);

    public IReadOnlyList<Operation> Operations => _operations;

    public ulong EventHash { get; private set; } = 14695981039346656037;

    public int NextId => _operations.Count + 1;

    /// <summary>The time in nanoseconds, later than every one that was given out before.</summary>
    public long NextNs() => _lastNs = Math.Max(_lastNs + 1, nowMicroseconds() * 1000);

    public IEnumerable<Operation> Ok(OperationKind kind) => _operations.Where(operation => operation.Kind == kind && operation.IsOk);

    public IEnumerable<(Operation Call, Grant Grant)> Grants =>
        Ok(OperationKind.Lease).SelectMany(operation => operation.Grants.Select(grant => (operation, grant)));

    public void Add(Operation operation)
    {
        _operations.Add(operation);
        Event($"invoke {operation}");
    }

    public void Returned(Operation operation)
    {
        operation.ReturnedNs = NextNs();
        Event($"return {operation}");
    }

    /// <summary>A fault or another thing that happened beside the calls: shown when the run fails.</summary>
    public void Fault(string what)
    {
        tell(what);
        Event(what);
    }

    private void Event(string what)
    {
        // FNV-1a over the time and the text.
        ulong hash = (EventHash ^ (ulong)nowMicroseconds()) * 1099511628211;
        foreach (char character in what) hash = (hash ^ character) * 1099511628211;
        EventHash = hash;
    }
}
