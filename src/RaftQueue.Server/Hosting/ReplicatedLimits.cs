namespace RaftQueue.Server.Hosting;

/// <summary>Limits and defaults that the leader writes into the log when its own differ from what stands there.</summary>
public sealed record ReplicatedLimits
{
    public long IdempotencyWindowMs { get; init; } = 3_600_000;

    public long MaxIdempotencyKeys { get; init; } = 10_000_000;

    public long MaxQueues { get; init; } = 10_000;

    public long KeepMs { get; init; } = 3_600_000;

    public long KeepDeadMs { get; init; } = 14L * 86_400_000;

    public long KeepFinished { get; init; } = 1_000_000;

    public int MaxAttempts { get; init; } = 25;

    public long LeaseMs { get; init; } = 30_000;
}
