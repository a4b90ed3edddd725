using RaftQueue.Jobs;
using RaftQueue.Primitives;

namespace RaftQueue.Checkers;

/// <summary>
/// What really happened: the log of every shard, replayed once through the model and once through the real store. Open calls of
/// the history are settled by it, and every answer is compared with the model's. O(n log n) for n commands, calls and jobs.
/// </summary>
public sealed class Truth
{
    private readonly List<string> _differences = [];
    private readonly Dictionary<(Incarnation, ulong), Operation> _byRequest = [];
    private readonly Dictionary<string, Operation> _byWorker = new(StringComparer.Ordinal);
    private readonly HashSet<Operation> _answersInLog = [];
    private ILookup<JobId, LogGrant>? _grantsByJob;

    private Truth(History history)
    {
        foreach (Operation operation in history.Operations)
        {
            if (operation.Request is { } request) _byRequest.Add(request, operation);
            if (operation is { Kind: OperationKind.Lease, IdempotencyKey: null }) _byWorker.Add(operation.Worker, operation);
        }
    }

    public IReadOnlyList<TruthShard> Shards { get; private set; } = [];

    /// <summary>Reads and lists whose answers differ from the model's, and other differences, in the order of the logs.</summary>
    public IReadOnlyList<string> Differences => _differences;

    /// <summary>Replays logs whose entries begin at index 1 and settles the open calls of the history.</summary>
    /// <param name="history">All calls.</param>
    /// <param name="logs">By shard.</param>
    /// <param name="audits">By shard, where <see cref="TruthShard.RootHashes"/> are wanted.</param>
    public static Truth Replay(
        History history, IReadOnlyList<IReadOnlyList<ReadOnlyMemory<byte>>> logs, IReadOnlyList<IReadOnlySet<long>>? audits = null)
    {
        ArgumentNullException.ThrowIfNull(history);
        ArgumentNullException.ThrowIfNull(logs);
        var truth = new Truth(history);
        ILookup<int, Operation> reads = history.Operations
            .Where(operation => operation is { End: OperationEnd.Applied, Answer: not null } && IsRead(operation))
            .ToLookup(operation => (int)operation.Shard.Value);
        truth.Shards = [.. logs.Select((log, shard) => new TruthShard(truth, new ShardId((ushort)shard), log, reads[shard], audits?[shard]))];
        truth.Compare(history);
        return truth;
    }

    /// <summary>Everything was as the model says.</summary>
    public void RequireSame() => Require.That(_differences.Count == 0, $"P6: {_differences.FirstOrDefault()}");

    /// <summary>The leases of the log by job, in order.</summary>
    public ILookup<JobId, LogGrant> GrantsByJob => _grantsByJob ??= Shards.SelectMany(shard => shard.Grants).ToLookup(grant => grant.Job);

    /// <summary>Stamp of an entry, Unix ms of the cluster's time.</summary>
    public long StampOf(ShardId shard, LogIndex index) => Shards[shard.Value].StampOf(index);

    internal void Differs(string what) => _differences.Add(what);

    /// <summary>The call that a command is of, if a client of the history made it.</summary>
    internal Operation? CallOf(in CommandFrame frame)
    {
        if (_byRequest.TryGetValue((frame.Origin, frame.RequestNumber), out Operation? call)) return call;
        return (CommandType)frame.Type == CommandType.Lease ? _byWorker.GetValueOrDefault(Model.CommandText.Worker(frame.Body)) : null;
    }

    /// <summary>The log holds the command that answered this call. False when it was found before.</summary>
    internal bool AnswerFound(Operation call) => _answersInLog.Add(call);

    private void Compare(History history)
    {
        foreach (Operation call in history.Operations)
        {
            if (call.End != OperationEnd.Applied || IsRead(call) || call.Code == ResultCode.Empty) continue;
            if (call.Request is null && call.Kind != OperationKind.Lease) continue;
            string property = call.Kind == OperationKind.Enqueue ? "P1" : "P10";
            Require.That(_answersInLog.Contains(call), $"{property}: what was answered does not stand in the log: {call}");
        }
    }

    private static bool IsRead(Operation operation) =>
        operation.Kind is OperationKind.Read or OperationKind.ReadQueue or OperationKind.ListQueues;
}
