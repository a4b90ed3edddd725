using RaftQueue.Jobs;

namespace RaftQueue.Checkers.Model;

/// <summary>
/// How long a failed attempt is left alone, from the interface's page (section 4, retry): min(maxMs, baseMs·2^(attempt−1)), linear
/// ·attempt, fixed ·1, then up to <c>jitter</c> longer, never shorter. By how much stands in docs/formats.md. Of the store only the
/// record that holds a policy's four numbers is used.
/// </summary>
public static class ModelBackOff
{
    /// <summary>Durations end at 36,600 days.</summary>
    private const long LongestMs = 36_600L * 24 * 60 * 60 * 1_000;

    private const long Million = 1_000_000;

    /// <summary>What counts where neither the job nor its queue says anything.</summary>
    public static RetryPolicy BuiltIn { get; } = new(BackoffKind.Exponential, BaseMs: 5_000, MaxMs: 3_600_000, JitterPpm: 200_000);

    /// <summary>Never shorter than this.</summary>
    public static long LeastMs(RetryPolicy policy, long attempt)
    {
        long delay = Math.Min(policy.BaseMs, policy.MaxMs);
        switch (policy.Backoff)
        {
            case BackoffKind.Exponential:
                for (long doubled = 1; doubled < attempt && delay > 0 && delay < policy.MaxMs; doubled++)
                    delay = delay > policy.MaxMs - delay ? policy.MaxMs : 2 * delay;
                return delay;
            case BackoffKind.Linear:
                return delay > 0 && attempt > policy.MaxMs / delay ? policy.MaxMs : delay * attempt;
            default:
                return delay;
        }
    }

    /// <summary>Never longer than this.</summary>
    public static long MostMs(RetryPolicy policy, long attempt)
    {
        Int128 least = LeastMs(policy, attempt);
        return (long)Int128.Min(least + (least * policy.JitterPpm / Million), LongestMs);
    }

    /// <summary>What a job waits after this attempt.</summary>
    public static long DelayMs(RetryPolicy policy, ulong sequence, long attempt)
    {
        Int128 least = LeastMs(policy, attempt);
        UInt128 choices = (UInt128)(least * policy.JitterPpm / Million) + 1;
        ulong drawn = Scatter(Scatter(sequence) ^ (ulong)attempt);
        Int128 longer = (Int128)((choices * drawn) >> 64);
        return (long)Int128.Min(least + longer, LongestMs);
    }

    private static ulong Scatter(ulong bits)
    {
        unchecked
        {
            bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
            bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
        }

        return bits ^ (bits >> 31);
    }
}
