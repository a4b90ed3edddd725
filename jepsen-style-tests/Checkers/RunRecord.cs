using RaftQueue.Jobs;
using RaftQueue.Primitives;

namespace RaftQueue.Checkers;

/// <summary>What the checkers judge: all calls, the log where it is known, and the jobs that each node had at the end.</summary>
public sealed class RunRecord
{
    private readonly Lazy<ILookup<JobId, Operation>> _callsByJob;
    private readonly Lazy<ILookup<JobId, (Operation Call, Grant Grant)>> _grantsByJob;
    private readonly Lazy<ILookup<JobId, (Operation Call, AskedJob Asked)>> _enqueuesByJob;

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
    }

    public History History { get; }

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

    /// <summary>The stamp of an entry, Unix ms; null where the log is not known.</summary>
    public long? StampOf(JobId job, LogIndex index) => Truth?.StampOf(job.Shard, index);
}
