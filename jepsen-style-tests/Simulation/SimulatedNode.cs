using RaftQueue.Primitives;
using RaftQueue.Runtime;
using RaftQueue.TestKit;

namespace RaftQueue.Simulation;

/// <summary>One node of a <see cref="SimulatedCluster"/>: a disk that outlives it, and a process that may be running.</summary>
internal sealed class SimulatedNode(NodeId id, FakeDisk disk, FakeClock clock)
{
    /// <summary>The cluster's monotonic clock with a wall clock of this node's own.</summary>
    public SimulatedClock Clock { get; } = new(clock);

    /// <summary>Nothing of it runs before this time: a stopped process, which then goes on.</summary>
    public long PausedUntilMicroseconds { get; set; }

    public bool IsPaused => clock.MonotonicMicroseconds < PausedUntilMicroseconds;

    public long NextDueMicroseconds => Math.Max(PausedUntilMicroseconds, Loops?.NextDueMicroseconds ?? long.MaxValue);

    public NodeId Id => id;

    /// <summary>How often it was started.</summary>
    public int Lives { get; set; }

    public FakeDisk Disk { get; set; } = disk;

    public Node? Node { get; set; }

    public ManualLoopHost? Loops { get; set; }

    public bool IsRunning => Node is not null;
}
