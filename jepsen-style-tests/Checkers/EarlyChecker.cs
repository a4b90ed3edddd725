using RaftQueue.Checkers.Model;
using RaftQueue.Jobs;
using RaftQueue.Primitives;

namespace RaftQueue.Checkers;

/// <summary>
/// P5: no first grant before the job may run, and none before a call allows it: an enqueue, release or reschedule with a delay or a
/// time, a nack with a delay, or one without after the shortest back-off that the job's policy allows; by the stamps of the log where it is
/// known (exactly), and by the harness's clock, minus what its clock was behind. Grants with pullAheadMs aside, which never get a job
/// that was nacked. The delays are the calls' and the policy's words, not what the program made of them. O(n log n).
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
            foreach ((Operation call, long runAtMs) in Times(record, grants.Key)) CheckTime(record, grants.Key, inOrder, call, runAtMs);
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

        foreach (Operation call in Endings(record, job))
        {
            if (call.Kind == OperationKind.Ack) continue;
            if ((call.DelayMs ?? BackOff(record, job, call)) is { } delay) yield return (call, delay);
        }
    }

    /// <summary>The same with the time before which the job is not to run, Unix ms of the cluster's.</summary>
    private static IEnumerable<(Operation Call, long RunAtMs)> Times(RunRecord record, JobId job)
    {
        foreach ((Operation call, AskedJob asked) in record.EnqueuesByJob[job])
        {
            if (asked is { Created: true, RunAtMs: { } runAt } && !call.Replayed) yield return (call, runAt);
        }

        foreach (Operation call in Endings(record, job))
        {
            if (call is { Kind: OperationKind.Reschedule, RunAtMs: { } runAt }) yield return (call, runAt);
        }
    }

    /// <summary>The calls that certainly ended a lease of the job.</summary>
    private static IEnumerable<Operation> Endings(RunRecord record, JobId job)
    {
        HashSet<ulong> ended = [];
        foreach (Operation call in record.CallsByJob[job])
        {
            // A repeat is told the same but changes nothing, and so may an answered call be when an open one was first.
            if (!call.TookToken || call.Kind == OperationKind.Extend || !ended.Add(call.Fence)) continue;
            bool first = !record.CallsByJob[job].Any(other => other != call && other.IsOnLease && other.Fence == call.Fence && other.IsOpen);
            if (first && !call.Replayed) yield return call;
        }
    }

    /// <summary>The shortest that the policy allows after a nack that names no delay; null where it does not count or nobody knows.</summary>
    private static long? BackOff(RunRecord record, JobId job, Operation call)
    {
        if (call is not { Kind: OperationKind.Nack, Dead: false }) return null;
        return record.AttemptOf(call.Job!.Value, call.Fence) is { } attempt && record.RetryOf(call.Job.Value) is { } retry
            ? ModelBackOff.LeastMs(retry, attempt)
            : null;
    }

    private static void CheckDelay(RunRecord record, JobId job, List<(Operation Call, Grant Grant)> grants, Operation call, long delayMs)
    {
        if (Next(record, job, grants, call) is not { } next) return;
        (Operation lease, Grant grant) = next;
        if (record.StampOf(job, call.Index) is { } from && record.StampOf(job, lease.Index) is { } at)
            Require.That(at >= from + delayMs, $"P5: {grant} at {at}, {from + delayMs - at} ms too early after {call}");
        double soonest = call.InvokedNs + (((record.SlowestClock * delayMs) - record.LagMs(job.Shard, call.Index)) * 1e6);
        Require.That(
            lease.ReturnedNs >= soonest, $"P5: {lease} returned {(soonest - lease.ReturnedNs) / 1e6:0} ms too early after {call}");
    }

    private static void CheckTime(RunRecord record, JobId job, List<(Operation Call, Grant Grant)> grants, Operation call, long runAtMs)
    {
        if (Next(record, job, grants, call) is not { } next) return;
        if (record.StampOf(job, next.Call.Index) is { } at)
            Require.That(at >= runAtMs, $"P5: {next.Grant} at {at}, {runAtMs - at} ms before the time that {call} gave it");
    }

    /// <summary>The first grant after a call that has to heed it; null for none.</summary>
    private static (Operation Call, Grant Grant)? Next(RunRecord record, JobId job, List<(Operation Call, Grant Grant)> grants, Operation call)
    {
        int next = FirstAfter(grants, call.Index);
        if (next == grants.Count) return null;
        (Operation lease, Grant grant) = grants[next];
        // Whoever replaced it in between gave it another time.
        bool replaced = record.EnqueuesByJob[job].Any(pair =>
            pair.Asked.Replaced == true && pair.Call.Index >= call.Index && pair.Call.Index <= lease.Index);
        if (replaced) return null;
        bool mayBeAhead = lease.PullAheadMs > 0 || record.WasLeasedBefore(job, grant);
        return mayBeAhead && call.Kind != OperationKind.Nack ? null : (lease, grant);
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
