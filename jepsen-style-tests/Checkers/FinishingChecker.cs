using RaftQueue.Jobs;

namespace RaftQueue.Checkers;

/// <summary>
/// P11: what finishes work is admitted when new work is refused. An ack, nack, extend, release, reschedule or cancel is never told that
/// the state, the queues or the log's disk are full, and that a node is overloaded only when calls of these kinds alone take as much
/// room as a node has for new work. One with an idempotency key needs a place for the key and may be refused for want of that; without
/// the key it is admitted. O(n).
/// </summary>
public static class FinishingChecker
{
    /// <summary>Refusals as <see cref="Operation.Refusal"/> names them.</summary>
    private const string Overloaded = "Overloaded";
    private const string DiskFull = "DiskFull";

    private static readonly string[] NeverTold =
        [DiskFull, nameof(ResultCode.StateFull), nameof(ResultCode.QueueFull), nameof(ResultCode.TooManyQueues)];

    public static void Check(RunRecord record)
    {
        foreach (Operation call in record.History.Operations)
        {
            if (!call.IsFinishing || call.Refusal is not { } why) continue;
            Require.That(!NeverTold.Contains(why), $"P11: finishing is admitted when new work is refused, and this was refused as {why}: {call}");
            Require.That(why != Overloaded || call.FoundNoRoom, $"P11: {call} was refused as {why}, and there was room for finishing");
            Require.That(why != nameof(ResultCode.IdempotencyFull) || call.IdempotencyKey is not null, $"P11: {call} has no key and was refused as {why}");
        }
    }
}
