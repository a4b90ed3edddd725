using RaftQueue.Jobs;
using RaftQueue.Primitives;

namespace RaftQueue.Checkers;

/// <summary>
/// P2: along the log fences strictly rise; a job is granted only when it is ready or its lease is over, or ahead of its time to who
/// asked with pullAheadMs, and then never a retry; no call with fence k takes effect after a grant k' > k; and by the harness's
/// clock the next grant is not before the earlier one's 0.9 · lease, as last extended, unless a call ended it. O(n log n).
/// </summary>
public static class FenceChecker
{
    public static void Check(RunRecord record)
    {
        foreach (IGrouping<ShardId, (Operation Call, Grant Grant)> shard in record.History.Grants
            .Where(pair => !pair.Call.Replayed)
            .GroupBy(pair => pair.Grant.Job.Shard))
        {
            ulong last = 0;
            foreach ((Operation call, Grant grant) in shard.OrderBy(pair => pair.Call.Index.Value).ThenBy(pair => pair.Grant.Fence))
            {
                Require.That(grant.Fence > last, $"P2: the fence of {grant} in {call} does not rise above {last}");
                last = grant.Fence;
            }
        }

        foreach (IGrouping<JobId, (Operation Call, Grant Grant)> grants in record.GrantsByJob)
        {
            CheckJob(record, grants.Key, [.. grants], [.. record.CallsByJob[grants.Key].Where(call => call.IsOnLease)]);
        }
    }

    private static void CheckJob(RunRecord record, JobId job, List<(Operation Call, Grant Grant)> grants, List<Operation> calls)
    {
        CheckLateCalls(grants, calls);
        ILookup<ulong, Operation> byFence = calls.ToLookup(call => call.Fence);
        for (int i = 0; i < grants.Count; i++)
        {
            (Operation Call, Grant Grant)? earlier = i == 0 ? null : grants[i - 1];
            // Another payload: a newcomer under its unique key replaced the job since, with a schedule of its own.
            bool sameJob = earlier is { } before && before.Grant.Payload == grants[i].Grant.Payload && !IsReplaced(record, job, before.Call, grants[i].Call);
            CheckAhead(record, job, grants[i].Call, grants[i].Grant, sameJob ? byFence[earlier!.Value.Grant.Fence] : []);
            if (earlier is { } known) CheckLease(record, job, known, grants[i], [.. byFence[known.Grant.Fence]]);
        }
    }

    /// <summary>Jobs without a payload are replaced by others without one.</summary>
    private static bool IsReplaced(RunRecord record, JobId job, Operation from, Operation to) => record.EnqueuesByJob[job].Any(pair =>
        pair.Asked.Replaced == true && pair.Call.Index >= from.Index && pair.Call.Index <= to.Index);

    /// <summary>Both lists are in the order of the log.</summary>
    private static void CheckLateCalls(List<(Operation Call, Grant Grant)> grants, List<Operation> calls)
    {
        int next = 0;
        foreach (Operation call in calls)
        {
            if (!call.TookToken || call.Replayed) continue;
            while (next < grants.Count && grants[next].Call.Index < call.Index) next++;
            bool late = next > 0 && grants[next - 1].Grant.Fence > call.Fence;
            Require.That(!late, $"P2: {call} took effect after {(next > 0 ? grants[next - 1].Grant : null)}");
        }
    }

    /// <summary>A grant before the job's time was asked for, within its horizon, and is no retry.</summary>
    private static void CheckAhead(RunRecord record, JobId job, Operation call, Grant grant, IEnumerable<Operation> before)
    {
        if (record.StampOf(job, call.Index) is not { } at || grant.RunAtMs <= at || record.WasLeasedBefore(job, grant)) return;
        Require.That(
            call.PullAheadMs > 0 && grant.RunAtMs <= at + call.PullAheadMs,
            $"P2: {grant} at {at} is ahead of its time by {grant.RunAtMs - at} ms, and {call} asked for {call.PullAheadMs}");
        Operation? nack = before.FirstOrDefault(earlier => earlier.Kind == OperationKind.Nack && earlier.TookToken);
        Require.That(nack is null, $"P2: {grant} is a retry that was pulled ahead of its time, see {nack}");
    }

    private static void CheckLease(
        RunRecord record, JobId job, (Operation Call, Grant Grant) earlier, (Operation Call, Grant Grant) later, List<Operation> calls)
    {
        if (calls.Exists(call => MayEnd(call) && (call.IsOpen || call.Index <= later.Call.Index))) return;
        Operation? extend = calls.FindLast(call => call is { Kind: OperationKind.Extend, TookToken: true, Replayed: false } && call.Index < later.Call.Index);
        long ends = extend?.ExpiresAtMs ?? earlier.Grant.ExpiresAtMs;
        if (record.StampOf(job, later.Call.Index) is { } at)
            Require.That(at >= ends, $"P2: {later.Grant} at {at} while {earlier.Grant} lasts until {ends}");

        // An open extend may have made the lease shorter, whenever it came.
        if (calls.Exists(call => call.Kind == OperationKind.Extend && call.IsOpen)) return;
        long leaseMs = extend?.DelayMs ?? earlier.Grant.LeaseMs;
        long from = extend?.InvokedNs ?? earlier.Call.InvokedNs;
        long lagMs = record.LagMs(job.Shard, extend?.Index ?? earlier.Call.Index);
        double soonest = from + (((record.SlowestClock * leaseMs) - lagMs) * 1e6);
        Require.That(
            later.Call.ReturnedNs >= soonest, $"P2: {later.Call} was granted {job} {(soonest - later.Call.ReturnedNs) / 1e6:0} ms too early after {earlier.Call}");
    }

    private static bool MayEnd(Operation call) => call.Kind switch
    {
        OperationKind.Nack or OperationKind.Release or OperationKind.Reschedule => call.IsOpen || call.TookToken,
        // An ack ends it for good: that is P3's to say.
        OperationKind.Ack => call.IsOpen || call.TookToken,
        _ => false,
    };
}
