using RaftQueue.Jobs;

namespace RaftQueue.Checkers;

/// <summary>
/// P3: after an ack that took effect there is no grant of the job, no read of it unfinished, and no other call on a lease of it that
/// takes effect. O(n log n).
/// </summary>
public static class AckFinalChecker
{
    public static void Check(RunRecord record)
    {
        foreach (IGrouping<JobId, Operation> calls in record.CallsByJob)
        {
            Operation? ack = calls.FirstOrDefault(call => call.Kind == OperationKind.Ack && call.TookToken && !call.Replayed);
            if (ack is null) continue;
            foreach ((Operation lease, Grant grant) in record.GrantsByJob[calls.Key])
                Require.That(lease.Index <= ack.Index, $"P3: {grant} in {lease} after {ack}");
            foreach (Operation call in calls)
            {
                if (call.Index <= ack.Index || !call.IsOk) continue;
                bool unfinished = call is { Kind: OperationKind.Read, Found.IsFinished: false };
                Require.That(!unfinished, $"P3: {call} sees {call.Found?.State} after {ack}");
                // The same ack again is told that it is done.
                bool again = call.Kind == OperationKind.Ack && call.Fence == ack.Fence;
                Require.That(!call.TookToken || again || call.Replayed, $"P3: {call} took effect after {ack}");
            }

            foreach ((int node, IReadOnlyDictionary<JobId, JobSnapshot> jobs) in record.FinalJobs)
            {
                bool stored = jobs.TryGetValue(calls.Key, out JobSnapshot? end);
                Require.That(!stored || end!.State == JobState.Succeeded, $"P3: {ack}, but the job is {end?.State} on node {node}");
            }
        }
    }
}
