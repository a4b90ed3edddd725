using RaftQueue.Jobs;

namespace RaftQueue.Checkers;

/// <summary>
/// P2: along the log fences rise; no call with an older fence takes effect after a later grant; a job is granted again only
/// after its lease is over by the stamps of the log, or was given back.
/// </summary>
public static class FenceChecker
{
    public static void Check(RunRecord record)
    {
        foreach (IGrouping<int, Grant> shard in record.History.Grants.GroupBy(grant => (int)grant.Job.Shard.Value))
        {
            ulong last = 0;
            foreach (Grant grant in shard.OrderBy(grant => grant.Index).ThenBy(grant => grant.Fence))
            {
                Require.That(grant.Fence > last, $"P2: the fence of {grant} does not rise above {last}");
                last = grant.Fence;
            }
        }

        foreach (IGrouping<JobId, Grant> grants in record.GrantsByJob)
        {
            foreach (Operation call in record.CallsByJob[grants.Key].Where(call => call.TookToken))
            {
                Grant? later = grants.FirstOrDefault(grant => grant.Fence > call.Fence && grant.Index < call.Index);
                Require.That(later is null, $"P2: {call} took effect after {later}");
            }

            CheckLeases(record, grants.Key, [.. grants]);
        }
    }

    private static void CheckLeases(RunRecord record, JobId job, List<Grant> grants)
    {
        for (int i = 1; i < grants.Count; i++)
        {
            Grant earlier = grants[i - 1];
            List<Operation> calls = [.. record.CallsByJob[job].Where(call => call.Fence == earlier.Fence)];
            bool givenBack = calls.Exists(call => call.End == OperationEnd.Info || (call.TookToken && call.Kind != OperationKind.Extend));
            if (givenBack) continue;
            long ends = earlier.ExpiresAtMs;
            Operation? last = calls.Where(call => call.TookToken && call.Index < grants[i].Index).MaxBy(call => call.Index);
            if (last is not null) ends = last.ExpiresAtMs;
            long at = record.StampOf(job, grants[i].Index);
            Require.That(at >= ends, $"P2: {grants[i]} at {at} while {earlier} lasts until {ends}");
        }
    }
}
