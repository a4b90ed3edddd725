using RaftQueue.Jobs;
using RaftQueue.Primitives;

namespace RaftQueue.Checkers;

/// <summary>
/// What really happened: the log of every shard, replayed once through the model and once through the real store. Open calls of
/// the history are settled by it, and every answer is compared with the model's. O(n log n) for n commands, calls and jobs.
/// </summary>
public sealed class Truth
{
    private readonly List<(string Property, string What)> _differences = [];
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

    /// <summary>
    /// Answers that differ from the model's (P6), calls that stand in the log and were refused or do not and were accepted (P1, P10), in the
    /// order of the logs.
    /// </summary>
    public IReadOnlyList<(string Property, string What)> Differences => _differences;

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

    /// <summary>Everything was as the model says, as far as it is this property's to say.</summary>
    public void RequireSame(string property)
    {
        (string? named, string what) = _differences.Find(difference => difference.Property == property);
        Require.That(named is null, $"{property}: {what}");
    }

    /// <summary>The leases of the log by job, in order.</summary>
    public ILookup<JobId, LogGrant> GrantsByJob => _grantsByJob ??= Shards.SelectMany(shard => shard.Grants).ToLookup(grant => grant.Job);

    /// <summary>Stamp of an entry, Unix ms of the cluster's time.</summary>
    public long StampOf(ShardId shard, LogIndex index) => Shards[shard.Value].StampOf(index);

    internal void Differs(string what, string property = "P6") => _differences.Add((property, what));

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
            if (!_answersInLog.Contains(call)) Differs($"what was answered does not stand in the log: {call}", property);
        }
    }

    private static bool IsRead(Operation operation) =>
        operation.Kind is OperationKind.Read or OperationKind.ReadQueue or OperationKind.ListQueues;
}
