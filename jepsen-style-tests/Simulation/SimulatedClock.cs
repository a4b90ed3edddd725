using RaftQueue.Primitives;
using RaftQueue.TestKit;

namespace RaftQueue.Simulation;

/// <summary>One node's clocks: the monotonic one is shared, the wall clock may be wrong by an offset.</summary>
internal sealed class SimulatedClock(FakeClock shared) : IClock
{
    public long WallOffsetMs { get; set; }

    /// <summary>What the wall clock would show if it were right.</summary>
    public long TrueUnixMs => shared.WallUnixMs;

    public long MonotonicMicroseconds => shared.MonotonicMicroseconds;

    public long WallUnixMs => shared.WallUnixMs + WallOffsetMs;
}
