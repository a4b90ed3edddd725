using RaftQueue.Jobs;
using RaftQueue.Primitives;

namespace RaftQueue.Checkers;

/// <summary>
/// P5: no grant before the job may run, by the stamps of the log: after an enqueue, nack, release or reschedule with a delay.
/// That stamps are never ahead of true time is the simulation's.
/// </summary>
public static class EarlyChecker
{
    public static void Check(RunRecord record)
    {
        foreach (Operation enqueue in record.History.Ok(OperationKind.Enqueue))
        {
            if (enqueue is { DelayMs: not null, Created: true, Replayed: false }) CheckFirstAfter(record, enqueue);
        }

        foreach (Operation call in record.History.Operations)
        {
            bool delays = call.Kind is OperationKind.Nack or OperationKind.Release or OperationKind.Reschedule;
            if (delays && call.TookToken && call.DelayMs is not null && EndedLease(record, call)) CheckFirstAfter(record, call);
        }

        foreach (Grant grant in record.History.Grants)
        {
            long at = record.StampOf(grant.Job, grant.Index);
            Require.That(grant.RunAtMs <= at, $"P5: {grant} at {at}");
        }
    }

    /// <summary>Not a repeat, which is told the same but changes nothing.</summary>
    private static bool EndedLease(RunRecord record, Operation call) =>
        record.CallsByJob[call.Job!.Value].All(other => other == call || other.Fence != call.Fence
            || other.Kind is OperationKind.Extend or OperationKind.Cancel or OperationKind.Read
            || other.End == OperationEnd.NotApplied || (other.End == OperationEnd.Applied && other.Index > call.Index));

    private static void CheckFirstAfter(RunRecord record, Operation call)
    {
        JobId job = call.Job!.Value;
        LogIndex index = call.Index;
        Grant? next = record.GrantsByJob[job].FirstOrDefault(grant => grant.Index > index);
        if (next is null) return;
        long due = record.StampOf(job, index) + call.DelayMs!.Value;
        long at = record.StampOf(job, next.Index);
        Require.That(at >= due, $"P5: {next} at {at}, {due - at} ms too early after {call}");
    }
}
