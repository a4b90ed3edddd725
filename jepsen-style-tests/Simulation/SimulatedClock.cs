using RaftQueue.Primitives;
using RaftQueue.TestKit;

namespace RaftQueue.Simulation;

/// <summary>
/// One node's clocks. The monotonic one may run faster or slower than true time; the wall clock, which something keeps right, may be wrong
/// by an offset.
/// </summary>
internal sealed class SimulatedClock(FakeClock shared) : IClock
{
    private const long Million = 1_000_000;

    private long _trueBase;
    private long _ownBase;

    public long WallOffsetMs { get; set; }

    /// <summary>By how many millionths the monotonic clock is too fast; negative: too slow.</summary>
    public long DriftPpm { get; private set; }

    /// <summary>What the wall clock would show if it were right.</summary>
    public long TrueUnixMs => shared.WallUnixMs;

    public long MonotonicMicroseconds => ToOwn(shared.MonotonicMicroseconds);

    public long WallUnixMs => shared.WallUnixMs + WallOffsetMs;

    /// <summary>From now on it runs at another speed.</summary>
    public void Drift(long ppm)
    {
        long now = shared.MonotonicMicroseconds;
        (_ownBase, _trueBase, DriftPpm) = (ToOwn(now), now, ppm);
    }

    /// <summary>What it shows at a true monotonic time.</summary>
    public long ToOwn(long trueMicroseconds) =>
        trueMicroseconds > long.MaxValue / 4 ? trueMicroseconds : _ownBase + Scaled(trueMicroseconds - _trueBase, Million + DriftPpm, Million);

    /// <summary>The first true time at which it shows at least this; what is never stays never.</summary>
    public long ToTrue(long ownMicroseconds) =>
        ownMicroseconds > long.MaxValue / 4 ? ownMicroseconds : _trueBase + -Scaled(_ownBase - ownMicroseconds, Million, Million + DriftPpm);

    /// <summary>Rounded down.</summary>
    private static long Scaled(long value, long by, long over) =>
        by == over ? value : (long)(((Int128)value * by) / over) - (value < 0 && (Int128)value * by % over != 0 ? 1 : 0);
}
