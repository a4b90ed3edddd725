namespace RaftQueue.Checkers;

/// <summary>All calls of a run in order, and a hash of everything that happened, equal for two runs of one seed.</summary>
public sealed class History(Func<long> nowMicroseconds, Action<string> tell)
{
    private readonly List<Operation> _operations = [];
    private long _order;

    public IReadOnlyList<Operation> Operations => _operations;

    public ulong EventHash { get; private set; } = 14695981039346656037;

    public int NextId => _operations.Count + 1;

    public long NextOrder() => ++_order;

    public IEnumerable<Operation> Ok(OperationKind kind) => _operations.Where(operation => operation.Kind == kind && operation.IsOk);

    public IEnumerable<Grant> Grants => Ok(OperationKind.Lease).SelectMany(operation => operation.Grants);

    public void Add(Operation operation)
    {
        _operations.Add(operation);
        Event($"invoke {operation.Id} {operation.Kind} {operation.Queue} {operation.Payload} {operation.Job} {operation.Fence}");
    }

    public void Returned(Operation operation)
    {
        operation.ReturnedOrder = NextOrder();
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
