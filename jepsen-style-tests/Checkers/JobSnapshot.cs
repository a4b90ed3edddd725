using RaftQueue.Jobs;
using RaftQueue.Jobs.Views;
using RaftQueue.MessagePack;

namespace RaftQueue.Checkers;

/// <summary>A job as a read showed it.</summary>
public sealed record JobSnapshot(JobState State, long Version, string Payload, long? FinishedAtMs, IReadOnlyList<(string Worker, AttemptOutcome Outcome)> Attempts)
{
    /// <summary>What clients append to a payload to make it large; its name is what stands before.</summary>
    public const char Filler = '~';

    public bool IsFinished => State is JobState.Succeeded or JobState.Dead or JobState.Cancelled;

    public static JobSnapshot Read(ReadOnlySpan<byte> encoded)
    {
        var reader = new MessagePackReader(encoded);
        Require.Readable(JobView.TryRead(ref reader, out JobView view));
        var made = new List<(string, AttemptOutcome)>();
        MessagePackReader attempts = view.Attempts;
        for (int i = 0; i < view.AttemptCount; i++)
        {
            Require.Readable(AttemptView.TryRead(ref attempts, out AttemptView attempt));
            made.Add((System.Text.Encoding.UTF8.GetString(attempt.Worker), attempt.Outcome));
        }

        return new JobSnapshot(
            view.State, view.Version, System.Text.Encoding.UTF8.GetString(view.Payload).TrimEnd(Filler), view.FinishedAtMs, made);
    }
}
