using RaftQueue.Primitives;

namespace RaftQueue.TestKit;

/// <summary>Clocks that stand still until they are moved. The two move apart only when a test jumps the wall clock.</summary>
public sealed class FakeClock : IClock
{
    private long _monotonicMicroseconds;
    private long _wallOffsetMs;

    public FakeClock(long monotonicMicroseconds = 1_000_000, long wallUnixMs = 1_700_000_000_000)
    {
        _monotonicMicroseconds = monotonicMicroseconds;
        _wallOffsetMs = wallUnixMs - (monotonicMicroseconds / 1000);
    }

    public long MonotonicMicroseconds => Volatile.Read(ref _monotonicMicroseconds);

    public long WallUnixMs => (MonotonicMicroseconds / 1000) + Volatile.Read(ref _wallOffsetMs);

    /// <summary>Moves both clocks on.</summary>
    public void AdvanceMs(long milliseconds) => AdvanceMicroseconds(milliseconds * 1000);

    /// <summary>Moves both clocks on.</summary>
    public void AdvanceMicroseconds(long microseconds)
    {
        Invariant.That(microseconds >= 0, "the monotonic clock never goes back");
        Interlocked.Add(ref _monotonicMicroseconds, microseconds);
    }

    /// <summary>Moves both clocks to a monotonic time that is not before now.</summary>
    public void AdvanceTo(long monotonicMicroseconds) => AdvanceMicroseconds(monotonicMicroseconds - MonotonicMicroseconds);

    /// <summary>Moves only the wall clock, either way.</summary>
    public void JumpWallMs(long milliseconds) => Interlocked.Add(ref _wallOffsetMs, milliseconds);
}
