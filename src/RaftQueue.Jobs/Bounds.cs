namespace RaftQueue.Jobs;

/// <summary>Checks against <see cref="JobLimits"/>.</summary>
internal static class Bounds
{
    public static bool IsDuration(long milliseconds) => milliseconds is >= 0 and <= JobLimits.MaxDurationMs;

    public static bool IsDurationOrNull(long? milliseconds) => milliseconds is null || IsDuration(milliseconds.Value);

    public static bool IsRetry(in RetryPolicy retry) =>
        IsDuration(retry.BaseMs) && IsDuration(retry.MaxMs) && retry.JitterPpm is >= 0 and <= RetryPolicy.MaxJitterPpm;
}
