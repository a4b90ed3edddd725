using RaftQueue.Checkers.Model;
using RaftQueue.Jobs;
using RaftQueue.Jobs.Views;
using RaftQueue.MessagePack;

namespace RaftQueue.Checkers;

/// <summary>A job as a read showed it. Times are the cluster's, Unix ms; attempts are its last ten, oldest first.</summary>
public sealed record JobSnapshot(
    JobState State, JobReason Reason, long Version, string Payload, long Attempt, long RunAtMs, long? FinishedAtMs,
    IReadOnlyList<SeenAttempt> Attempts)
{
    public bool IsFinished => State is JobState.Succeeded or JobState.Dead or JobState.Cancelled;

    /// <summary>Reads an encoded job, and also gives all of it as the model writes it.</summary>
    public static JobSnapshot Read(ReadOnlySpan<byte> encoded, out string whole)
    {
        var reader = new MessagePackReader(encoded);
        Require.Readable(JobView.TryRead(ref reader, out JobView view));
        var made = new List<SeenAttempt>();
        MessagePackReader attempts = view.Attempts;
        for (int i = 0; i < view.AttemptCount; i++)
        {
            Require.Readable(AttemptView.TryRead(ref attempts, out AttemptView attempt));
            made.Add(new SeenAttempt(Shots.Text(attempt.Worker) ?? "", attempt.Outcome));
        }

        JobShot shot = Shots.Of(view);
        whole = shot.ToString();
        return new JobSnapshot(
            view.State, view.Reason, view.Version, shot.Payload ?? "", view.Attempt, view.RunAtMs, view.FinishedAtMs, made);
    }
}
