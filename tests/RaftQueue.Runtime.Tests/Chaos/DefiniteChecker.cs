namespace RaftQueue.Runtime.Tests.Chaos;

/// <summary>
/// A lease request that was answered "empty" or "not applied" has no lease, and one that was answered with jobs has only
/// those: every attempt of a job names the worker, and each request has a worker of its own.
/// </summary>
internal static class DefiniteChecker
{
    public static void Check(RunRecord record)
    {
        Dictionary<string, Operation> byWorker = record.History.Operations
            .Where(operation => operation is { Kind: OperationKind.Lease, SpansShards: false })
            .ToDictionary(operation => operation.Worker);
        foreach ((Jobs.JobId id, JobSnapshot? job) in record.FinalJobs)
        {
            foreach (string worker in job?.Workers ?? [])
            {
                if (!byWorker.TryGetValue(worker, out Operation? lease) || lease.End == OperationEnd.Info) continue;
                Assert.True(lease.End == OperationEnd.Applied, $"job {id} was granted to a refused request: {lease}");
                Assert.True(
                    lease.Grants.Any(grant => grant.Job == id), $"job {id} was granted to a request that was not told so: {lease}");
            }
        }
    }
}
