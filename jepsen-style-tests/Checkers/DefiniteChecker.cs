using RaftQueue.Jobs;

namespace RaftQueue.Checkers;

/// <summary>
/// A lease request that was answered has the leases that it was told of and no others: every attempt of a job names the worker,
/// and each request has a worker of its own. Another copy of the request may be granted more, which its node gives back, or
/// which runs out when that node is gone; nobody works on it.
/// </summary>
public static class DefiniteChecker
{
    public static void Check(RunRecord record)
    {
        Dictionary<string, Operation> byWorker = record.History.Operations
            .Where(operation => operation is { Kind: OperationKind.Lease, SpansShards: false })
            .ToDictionary(operation => operation.Worker, StringComparer.Ordinal);
        foreach ((JobId id, JobSnapshot? job) in record.FinalJobs)
        {
            foreach ((string worker, AttemptOutcome outcome) in job?.Attempts ?? [])
            {
                // Cancelled: given back or run out after somebody had asked to cancel the job.
                if (outcome is AttemptOutcome.Released or AttemptOutcome.Expired or AttemptOutcome.Cancelled) continue;
                if (!byWorker.TryGetValue(worker, out Operation? lease) || lease.End == OperationEnd.Info) continue;
                Require.That(lease.End == OperationEnd.Applied, $"P2: job {id} was granted to a refused request: {lease}");
                Require.That(
                    lease.Grants.Any(grant => grant.Job == id), $"P2: job {id} was granted to a request that was not told so, and that attempt ended as {outcome}: {lease}");
            }
        }
    }
}
