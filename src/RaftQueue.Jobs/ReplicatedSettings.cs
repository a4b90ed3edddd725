namespace RaftQueue.Jobs;

/// <summary>
/// Limits and defaults that apply needs. Apply reads no node's configuration: the leader writes these to the log when it
/// takes office and its own differ. Durations in ms.
/// </summary>
public sealed record ReplicatedSettings
{
    /// <summary>How long an idempotency key is remembered.</summary>
    public long IdempotencyWindowMs { get; init; } = 3_600_000;

    public long MaxIdempotencyKeys { get; init; } = 10_000_000;

    public long MaxQueues { get; init; } = 10_000;

    /// <summary>How long a succeeded or cancelled job stays readable.</summary>
    public long DefaultKeepMs { get; init; } = 3_600_000;

    public long DefaultKeepDeadMs { get; init; } = 14L * 86_400_000;

    /// <summary>Succeeded and cancelled jobs that a queue keeps at most.</summary>
    public long DefaultKeepFinished { get; init; } = 1_000_000;

    public int DefaultMaxAttempts { get; init; } = 25;

    public long DefaultLeaseMs { get; init; } = 30_000;

    /// <summary>Allocated pages above which enqueues are refused; 0 for no such bound.</summary>
    public long StateHighWaterPages { get; init; }
}
