using RaftQueue.Jobs;

namespace RaftQueue.Checkers;

/// <summary>P3: after an ack that took effect the job is succeeded for ever: no grant, no other end.</summary>
public static class AckFinalChecker
{
    public static void Check(RunRecord record)
    {
        foreach (Operation ack in record.History.Ok(OperationKind.Ack).Where(ack => ack.TookToken))
        {
            JobId job = ack.Job!.Value;
            Grant? later = record.GrantsByJob[job].FirstOrDefault(grant => grant.Index > ack.Index);
            Require.That(later is null, $"P3: {later} after {ack}");
            JobSnapshot? end = record.FinalJobs[job];
            Require.That(end is { State: JobState.Succeeded }, $"P3: {ack}, but the job is {end?.State.ToString() ?? "gone"}");
            // The same ack again is told that it is done.
            Operation? second = record.CallsByJob[job].FirstOrDefault(call =>
                call.TookToken && call.Index > ack.Index && !(call.Kind == OperationKind.Ack && call.Fence == ack.Fence));
            Require.That(second is null, $"P3: {second} took effect after {ack}");
        }
    }
}
