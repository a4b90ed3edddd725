using RaftQueue.Jobs;
using RaftQueue.Primitives;

namespace RaftQueue.Checkers;

/// <summary>What the checkers judge: all calls, the log where it is known, and the jobs that each node had at the end.</summary>
public sealed class RunRecord
{
    private readonly Lazy<ILookup<JobId, Operation>> _callsByJob;
    private readonly Lazy<ILookup<JobId, (Operation Call, Grant Grant)>> _grantsByJob;
    private readonly Lazy<ILookup<JobId, (Operation Call, AskedJob Asked)>> _enqueuesByJob;
    private readonly Lazy<Dictionary<(ShardId Shard, ulong Fence), long>> _attempts;

    public RunRecord(History history)
    {
        History = history;
        _callsByJob = new(() => history.Operations
            .Where(operation => operation.Job is not null)
            .OrderBy(operation => operation.Index.Value)
            .ToLookup(operation => operation.Job!.Value.Key()));
        _grantsByJob = new(() => history.Grants
            .Where(pair => !pair.Call.Replayed)
            .OrderBy(pair => pair.Call.Index.Value)
            .ToLookup(pair => pair.Grant.Job.Key()));
        _enqueuesByJob = new(() => history.Ok(OperationKind.Enqueue)
            .SelectMany(call => call.Jobs.Where(asked => asked.Job is not null).Select(asked => (call, asked)))
            .OrderBy(pair => pair.call.Index.Value)
            .ToLookup(pair => pair.asked.Job!.Value.Key()));
        _attempts = new(() =>
        {
            var attempts = new Dictionary<(ShardId, ulong), long>();
            foreach ((_, Grant grant) in history.Grants) attempts.TryAdd((grant.Job.Shard, grant.Fence), grant.Attempt);
            return attempts;
        });
    }

    public History History { get; }

    /// <summary>The number of the attempt that a lease was, by what any client was told; null when nobody was.</summary>
    public long? AttemptOf(JobId job, ulong fence) => _attempts.Value.TryGetValue((job.Shard, fence), out long attempt) ? attempt : null;

    /// <summary>
    /// By which policy the job's failed attempts are tried again: its enqueue's word, else what its queue said then. Null where nobody knows.
    /// </summary>
    public RetryPolicy? RetryOf(JobId job)
    {
        (Operation? made, AskedJob? asked) = EnqueuesByJob[job.Key()].FirstOrDefault(pair => pair.Asked.Created);
        if (asked?.Retry is { } own) return own;
        if (Truth is { } truth) return truth.Shards[job.Shard.Value].RetryOf(job);
        bool mayHaveDefault = made is null || History.Operations.Any(call => call.Kind == OperationKind.PutQueue && call.Queue == made.Queue);
        return mayHaveDefault ? null : Model.ModelBackOff.BuiltIn;
    }

    /// <summary>The logs replayed, which settled open calls; null where only the history is known.</summary>
    public Truth? Truth { get; init; }

    /// <summary>By node: every job that it had at the end, after everything was healed and drained; empty when nobody looked.</summary>
    public IReadOnlyDictionary<int, IReadOnlyDictionary<JobId, JobSnapshot>> FinalJobs { get; init; } =
        new Dictionary<int, IReadOnlyDictionary<JobId, JobSnapshot>>();

    /// <summary>
    /// By how many ms the stamp of an entry is behind true time. A leader with wrong clocks around it may be late; the next one catches up
    /// in one step, and then a lease or delay that began late seems that much too short. 0 where nobody knows.
    /// </summary>
    public Func<ShardId, LogIndex, long> LagMs { get; init; } = static (_, _) => 0;

    /// <summary>Corrections change the speed of cluster time by at most a tenth.</summary>
    public const double SlowestTime = 0.9;

    /// <summary>How fast and slow cluster time may run while clocks are corrected: a lease of 1 s lasts at least this much of it.</summary>
    public double SlowestClock { get; init; } = SlowestTime;

    public long IdempotencyWindowMs { get; init; } = new ReplicatedSettings().IdempotencyWindowMs;

    /// <summary>When every fault had ended; null when none did.</summary>
    public long? HealedNs { get; init; }

    /// <summary>Within this after <see cref="HealedNs"/> something is acknowledged again.</summary>
    public long RecoveryNs { get; init; } = long.MaxValue;

    /// <summary>The calls about a job in the order of the log.</summary>
    public ILookup<JobId, Operation> CallsByJob => _callsByJob.Value;

    /// <summary>The grants that clients were told of, by job, in the order of the log, without replays.</summary>
    public ILookup<JobId, (Operation Call, Grant Grant)> GrantsByJob => _grantsByJob.Value;

    /// <summary>The accepted enqueues that name a job, in the order of the log.</summary>
    public ILookup<JobId, (Operation Call, AskedJob Asked)> EnqueuesByJob => _enqueuesByJob.Value;

    /// <summary>
    /// Whether the job was leased before for the same time: who was granted it ahead of its time may have handed it back at once.
    /// </summary>
    public bool WasLeasedBefore(JobId job, Grant grant) =>
        Truth?.GrantsByJob[job.Key()].Any(earlier => earlier.RunAtMs == grant.RunAtMs && earlier.Fence < grant.Fence) == true;

    /// <summary>The stamp of an entry where something else than <see cref="Truth"/> knows it, Unix ms.</summary>
    public Func<ShardId, LogIndex, long>? Stamps { get; init; }

    /// <summary>The stamp of an entry, Unix ms; null where the log is not known.</summary>
    public long? StampOf(JobId job, LogIndex index) => Stamps?.Invoke(job.Shard, index) ?? Truth?.StampOf(job.Shard, index);
}
