using RaftQueue.Jobs;
using RaftQueue.Primitives;

namespace RaftQueue.Checkers;

/// <summary>What the checkers judge: all calls, the log, and every known job as it was read at the end.</summary>
public sealed record RunRecord(
    History History,
    Func<ShardId, LogIndex, long> StampAt,
    IReadOnlyDictionary<JobId, JobSnapshot?> FinalJobs,
    IReadOnlyDictionary<string, long> EnqueuedTotals)
{
    /// <summary>The grants that clients know of, by job, in the order of the log.</summary>
    public ILookup<JobId, Grant> GrantsByJob { get; } =
        History.Grants.OrderBy(grant => grant.Index).ToLookup(grant => grant.Job);

    /// <summary>The calls about a job, by job.</summary>
    public ILookup<JobId, Operation> CallsByJob { get; } = History.Operations
        .Where(operation => operation.Job is not null && operation.Kind != OperationKind.Enqueue)
        .ToLookup(operation => operation.Job!.Value);

    public long StampOf(JobId job, LogIndex index) => StampAt(job.Shard, index);
}
