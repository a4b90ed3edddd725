using RaftQueue.Jobs;
using RaftQueue.Jobs.Views;
using RaftQueue.MessagePack;

namespace RaftQueue.Runtime.Tests.Chaos;

/// <summary>A job as a read showed it.</summary>
internal sealed record JobSnapshot(JobState State, long Version, string Payload, long? FinishedAtMs, IReadOnlyList<(string Worker, AttemptOutcome Outcome)> Attempts)
{
    public bool IsFinished => State is JobState.Succeeded or JobState.Dead or JobState.Cancelled;

    public static JobSnapshot Read(ReadOnlySpan<byte> encoded)
    {
        var reader = new MessagePackReader(encoded);
        Assert.True(JobView.TryRead(ref reader, out JobView view));
        var made = new List<(string, AttemptOutcome)>();
        MessagePackReader attempts = view.Attempts;
        for (int i = 0; i < view.AttemptCount; i++)
        {
            Assert.True(AttemptView.TryRead(ref attempts, out AttemptView attempt));
            made.Add((System.Text.Encoding.UTF8.GetString(attempt.Worker), attempt.Outcome));
        }

        return new JobSnapshot(
            view.State, view.Version, ChaosCommands.ShortPayload(view.Payload), view.FinishedAtMs, made);
    }
}
