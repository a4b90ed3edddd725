namespace RaftQueue.Jobs;

/// <summary>
/// Bounds that no command may exceed whatever a node's settings allow: they keep times in 48 bits and fields in their place.
/// The limits a user meets are lower and checked before a command exists.
/// </summary>
public static class JobLimits
{
    /// <summary>100 years and a little, in ms. Longer durations are refused.</summary>
    public const long MaxDurationMs = 36_600L * 86_400_000;

    /// <summary>The latest time, Unix ms (year 6429): a duration on top of it still has 48 bits.</summary>
    public const long MaxTimeMs = 1L << 47;

    public const int MaxPriority = 9;
    public const int MaxKeyBytes = 256;
    public const int MaxWorkerBytes = 256;
    public const int MaxTypeBytes = 512;
    public const int MaxContentTypeBytes = 512;
    public const int MaxErrorBytes = 4096;
    public const int MaxProgressBytes = 65_536;
    public const int MaxTags = 1_000;
    public const int MaxTagsBytes = 65_536;
    public const int MaxHeadersBytes = 65_536;
    public const int MaxPayloadBytes = 14 * 1024 * 1024;
    public const int MaxQueuesPerLease = 1_000;
    public const int MaxJobsPerLease = 10_000;

    /// <summary>Jobs of a batch, tokens of a call.</summary>
    public const int MaxRowsPerCommand = 100_000;

    /// <summary>Bytes of jobs that the lease requests of one entry get together; one job is granted however large.</summary>
    public const long LeasedBytesPerEntry = 64L << 20;
    public const int MaxSettingsBytes = 262_144;
    public const int MaxUniquePointers = 64;

    /// <summary>Attempts of a job that are remembered.</summary>
    public const int RememberedAttempts = 10;

    /// <summary>Timers that one entry fires at most.</summary>
    public const int TimersPerEntry = 1_000;
}
