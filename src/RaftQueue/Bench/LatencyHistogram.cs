using System.Diagnostics;
using System.Numerics;

namespace RaftQueue.Bench;

/// <summary>
/// Durations in buckets whose width is at most 1/64 of their value: the size is fixed, percentiles are at most 1.6 % high. One
/// writer; a reader on another thread sees counts that may be a moment old.
/// </summary>
internal sealed class LatencyHistogram
{
    private const int StepBits = 6;
    private const int Steps = 1 << StepBits;
    private readonly long[] _buckets = new long[(64 - StepBits) * Steps];
    private long _largest;

    public long Count { get; private set; }

    public TimeSpan Largest => TimeSpan.FromTicks(_largest / 100);

    /// <param name="stopwatchTicks">A difference of two <see cref="Stopwatch.GetTimestamp"/>.</param>
    public void Record(long stopwatchTicks)
    {
        long nanoseconds = Math.Max(0, (long)(stopwatchTicks * (1e9 / Stopwatch.Frequency)));
        _buckets[BucketOf(nanoseconds)]++;
        _largest = Math.Max(_largest, nanoseconds);
        Count++;
    }

    public void Add(LatencyHistogram other)
    {
        for (int i = 0; i < _buckets.Length; i++) _buckets[i] += other._buckets[i];
        _largest = Math.Max(_largest, other._largest);
        Count += other.Count;
    }

    /// <summary>The duration that a share of all does not exceed; zero when nothing was recorded.</summary>
    /// <param name="share">Above 0, at most 1: 0.5 is the median.</param>
    public TimeSpan Percentile(double share)
    {
        long wanted = (long)Math.Ceiling(Count * share);
        long seen = 0;
        for (int bucket = 0; bucket < _buckets.Length; bucket++)
        {
            seen += _buckets[bucket];
            if (seen >= wanted && seen > 0) return TimeSpan.FromTicks(Math.Min(UpperEnd(bucket), _largest) / 100);
        }

        return TimeSpan.Zero;
    }

    private static int BucketOf(long value)
    {
        int shift = Math.Max(0, BitOperations.Log2((ulong)value | 1) - StepBits);
        return (shift << StepBits) + (int)(value >> shift);
    }

    private static long UpperEnd(int bucket)
    {
        int shift = Math.Max(0, (bucket >> StepBits) - 1);
        return ((bucket - ((long)shift << StepBits) + 1) << shift) - 1;
    }
}
