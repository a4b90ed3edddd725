namespace RaftQueue.Server.Contracts;

/// <summary>What one request may carry. Checked before a command exists, so these are each node's own settings.</summary>
public sealed record RequestLimits
{
    /// <summary>A hundred years: the longest duration a request may name, except where another bound stands.</summary>
    public const long MaxDurationMs = 100L * 36525 * 864 * 1000;

    /// <summary>Nesting of a body, a payload's own inside included.</summary>
    public const int MaxDepth = 64;

    /// <summary>Problems named in one reply; what is beyond stays unnamed.</summary>
    public const int MaxErrors = 100;

    /// <summary>Bytes of one job's payload, as JSON text or as decoded bytes.</summary>
    public int PayloadBytes { get; init; } = 1 << 20;

    /// <summary>Bytes of one job's result as JSON text.</summary>
    public int ResultBytes { get; init; } = 1 << 20;

    /// <summary>A longer <c>error</c> is cut here, not refused.</summary>
    public int ErrorBytes { get; init; } = 4096;

    public int ProgressBytes { get; init; } = 4096;

    public int BatchJobs { get; init; } = 1000;

    /// <summary>Bytes of a request's body.</summary>
    public int BodyBytes { get; init; } = 8 << 20;

    /// <summary>Tokens in one ack, nack, extend, release or reschedule.</summary>
    public int Tokens { get; init; } = 1000;

    /// <summary>Jobs in one lease reply.</summary>
    public int LeaseJobs { get; init; } = 1000;

    /// <summary>Bytes of the jobs in one lease reply.</summary>
    public int LeaseBytes { get; init; } = 8 << 20;

    /// <summary>Queues that one lease request names.</summary>
    public int LeaseQueues { get; init; } = 1000;

    /// <summary>Unique keys, groups and workers.</summary>
    public int KeyBytes { get; init; } = 256;

    public int Tags { get; init; } = 100;

    public int TagBytes { get; init; } = 64;

    public int Headers { get; init; } = 32;

    /// <summary>Names and values of one job's headers together.</summary>
    public int HeaderBytes { get; init; } = 4096;

    public int TypeCharacters { get; init; } = 128;

    public int ContentTypeBytes { get; init; } = 256;

    public long WaitMs { get; init; } = 60_000;

    public long MinLeaseMs { get; init; } = 100;

    public long MaxLeaseMs { get; init; } = 12L * 3600 * 1000;

    public int MaxAttempts { get; init; } = 1_000_000;
}
