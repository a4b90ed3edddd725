using RaftQueue.Jobs;

namespace RaftQueue.Checkers;

/// <summary>
/// P11: after the heal something is acknowledged within the recovery time; after the drain no live job is left, on any node, and all
/// nodes have the same jobs. O(n).
/// </summary>
public static class LivenessChecker
{
    public static void Check(RunRecord record)
    {
        if (record.HealedNs is { } healed)
        {
            long first = record.History.Operations
                .Where(call => call.End == OperationEnd.Applied && call.InvokedNs >= healed)
                .Select(call => call.ReturnedNs)
                .DefaultIfEmpty(long.MaxValue)
                .Min();
            Require.That(
                first - healed <= record.RecoveryNs, $"P11: nothing was acknowledged within {record.RecoveryNs / 1_000_000} ms after the heal");
        }

        (int Node, IReadOnlyDictionary<JobId, JobSnapshot> Jobs)? one = null;
        foreach ((int node, IReadOnlyDictionary<JobId, JobSnapshot> jobs) in record.FinalJobs)
        {
            foreach ((JobId id, JobSnapshot job) in jobs)
                Require.That(job.IsFinished, $"P11: job {id} is still {job.State} on node {node} after the drain");
            one ??= (node, jobs);
            CheckSame(one.Value.Node, one.Value.Jobs, node, jobs);
        }
    }

    private static void CheckSame(
        int oneNode, IReadOnlyDictionary<JobId, JobSnapshot> one, int otherNode, IReadOnlyDictionary<JobId, JobSnapshot> other)
    {
        Require.That(one.Count == other.Count, $"P11: node {oneNode} has {one.Count} jobs and node {otherNode} {other.Count}");
        foreach ((JobId id, JobSnapshot job) in one)
        {
            bool has = other.TryGetValue(id, out JobSnapshot? theirs);
            Require.That(has, $"P11: node {otherNode} does not have job {id} of node {oneNode}");
            Require.That(
                job.Version == theirs!.Version && job.State == theirs.State,
                $"P11: job {id} is {job.State} in version {job.Version} on node {oneNode}, {theirs.State} in {theirs.Version} on node {otherNode}");
        }
    }
}
