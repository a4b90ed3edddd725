using System.Diagnostics;

namespace RaftQueue.Bench;

/// <summary>
/// When the requests of one connection begin, if the run has a rate: at times that do not depend on how long the requests before
/// took, so that a stall is seen by all the requests that it held up.
/// </summary>
internal sealed class BenchPace
{
    private readonly double _ticksBetween;
    private double _next;

    /// <param name="options">With a rate, or this connection never waits.</param>
    /// <param name="number">Of the connection: they take turns.</param>
    public BenchPace(BenchOptions options, int number)
    {
        if (options.Rate is not { } rate) return;
        double ticksForABatch = Stopwatch.Frequency * options.Batch / rate;
        _ticksBetween = ticksForABatch * options.Connections;
        _next = Stopwatch.GetTimestamp() + (ticksForABatch * number);
    }

    /// <summary>Waits for the next request's time and gives it; without a rate, or when it had to be waited for, that is now.</summary>
    public long Await()
    {
        long now = Stopwatch.GetTimestamp();
        if (_ticksBetween == 0) return now;
        long due = (long)_next;
        _next += _ticksBetween;
        if (due < now) return due;
        double ms = (due - now) * 1000.0 / Stopwatch.Frequency;
        if (ms >= 0.5) Thread.Sleep((int)Math.Round(ms));
        return Stopwatch.GetTimestamp();
    }
}
