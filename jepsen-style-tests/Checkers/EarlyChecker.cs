using RaftQueue.Jobs;
using RaftQueue.Primitives;

namespace RaftQueue.Checkers;

/// <summary>
/// P5: no first grant, and none after a nack, release or reschedule with a delay, before the job may run: by the stamps of the log
/// where it is known (exactly), and by the harness's clock, minus what its clock was behind. Grants with pullAheadMs aside.
/// O(n log n).
/// </summary>
public static class EarlyChecker
{
    /// <summary>Checks, and returns how late each grant that was waited for came, ms of the cluster's time, ascending.</summary>
    public static IReadOnlyList<long> Check(RunRecord record)
    {
        var late = new List<long>();
        foreach (IGrouping<JobId, (Operation Call, Grant Grant)> grants in record.GrantsByJob)
        {
            List<(Operation Call, Grant Grant)> inOrder = [.. grants];
            CheckStamps(record, grants.Key, inOrder, late);
            foreach ((Operation call, long delayMs) in Delays(record, grants.Key)) CheckDelay(record, grants.Key, inOrder, call, delayMs);
        }

        late.Sort();
        return late;
    }

    /// <summary>What 99 of 100 grants are not later than; 0 when there are none.</summary>
    public static long P99(IReadOnlyList<long> late) => late.Count == 0 ? 0 : late[(late.Count - 1) * 99 / 100];

    private static void CheckStamps(RunRecord record, JobId job, List<(Operation Call, Grant Grant)> grants, List<long> late)
    {
        foreach ((Operation call, Grant grant) in grants)
        {
            if (record.StampOf(job, call.Index) is not { } at) continue;
            Require.That(grant.RunAtMs <= at + call.PullAheadMs || record.WasLeasedBefore(job, grant), $"P5: {grant} at {at}, due at {grant.RunAtMs}, {call}");
            if (grant.Attempt == 1 && grant.RunAtMs <= at) late.Add(at - grant.RunAtMs);
        }
    }

    /// <summary>Calls after which the job is to be left alone, as far as they changed it.</summary>
    private static IEnumerable<(Operation Call, long DelayMs)> Delays(RunRecord record, JobId job)
    {
        foreach ((Operation call, AskedJob asked) in record.EnqueuesByJob[job])
        {
            if (asked is { Created: true, DelayMs: { } delay } && !call.Replayed) yield return (call, delay);
        }

        HashSet<ulong> ended = [];
        foreach (Operation call in record.CallsByJob[job])
        {
            // A repeat is told the same but changes nothing, and so may an answered call be when an open one was first.
            if (!call.TookToken || call.Kind == OperationKind.Extend || !ended.Add(call.Fence)) continue;
            bool first = !record.CallsByJob[job].Any(other => other != call && other.IsOnLease && other.Fence == call.Fence && other.IsOpen);
            bool delays = call.Kind is OperationKind.Nack or OperationKind.Release or OperationKind.Reschedule;
            if (delays && first && call is { DelayMs: { } delay, Replayed: false }) yield return (call, delay);
        }
    }

    private static void CheckDelay(RunRecord record, JobId job, List<(Operation Call, Grant Grant)> grants, Operation call, long delayMs)
    {
        int next = FirstAfter(grants, call.Index);
        if (next == grants.Count || grants[next].Call.PullAheadMs > 0 || record.WasLeasedBefore(job, grants[next].Grant)) return;
        // Whoever replaced it in between gave it another time.
        if (record.EnqueuesByJob[job].Any(pair => pair.Asked.Replaced == true)) return;
        (Operation lease, Grant grant) = grants[next];
        if (record.StampOf(job, call.Index) is { } from && record.StampOf(job, lease.Index) is { } at)
            Require.That(at >= from + delayMs, $"P5: {grant} at {at}, {from + delayMs - at} ms too early after {call}");
        double soonest = call.InvokedNs + (((record.SlowestClock * delayMs) - record.LagMs(job.Shard, call.Index)) * 1e6);
        Require.That(
            lease.ReturnedNs >= soonest, $"P5: {lease} returned {(soonest - lease.ReturnedNs) / 1e6:0} ms too early after {call}");
    }

    private static int FirstAfter(List<(Operation Call, Grant Grant)> grants, LogIndex index)
    {
        int low = 0;
        for (int high = grants.Count; low < high;)
        {
            int middle = (low + high) / 2;
            if (grants[middle].Call.Index > index) high = middle;
            else low = middle + 1;
        }

        return low;
    }
}
