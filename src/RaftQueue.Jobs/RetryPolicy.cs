using RaftQueue.Primitives;

namespace RaftQueue.Jobs;

/// <summary>
/// When a failed attempt is tried again: exponential min(max, base·2^(attempt−1)), linear min(max, base·attempt), fixed
/// min(max, base), and then up to <see cref="JitterPpm"/> millionths longer, never shorter. All in integers.
/// </summary>
public readonly record struct RetryPolicy(BackoffKind Backoff, long BaseMs, long MaxMs, int JitterPpm)
{
    /// <summary>5 s doubling to 1 h, up to a fifth longer.</summary>
    public static RetryPolicy Default => new(BackoffKind.Exponential, 5_000, 3_600_000, 200_000);

    /// <summary>The most jitter: ten times longer.</summary>
    public const int MaxJitterPpm = 10_000_000;

    /// <summary>
    /// The delay after failed attempt <paramref name="attempt"/> (1 and up) in ms. <paramref name="sequence"/>, the job's, and the
    /// attempt decide the jitter, so that every replica draws the same.
    /// </summary>
    public long DelayMs(ulong sequence, long attempt)
    {
        Invariant.That(attempt >= 1, "only an attempt that was made can fail");
        UInt128 factor = Backoff switch
        {
            BackoffKind.Exponential => attempt > 64 ? UInt128.One << 64 : UInt128.One << (int)(attempt - 1),
            BackoffKind.Linear => (UInt128)(ulong)attempt,
            _ => UInt128.One,
        };
        UInt128 delay = UInt128.Min((UInt128)(ulong)BaseMs * factor, (UInt128)(ulong)MaxMs);
        UInt128 most = delay * (UInt128)(uint)JitterPpm / 1_000_000;
        ulong draw = SplitMix64.Mix(SplitMix64.Mix(sequence) ^ (ulong)attempt);
        UInt128 longer = ((most + 1) * draw) >> 64;
        return (long)UInt128.Min(delay + longer, JobLimits.MaxDurationMs);
    }
}
