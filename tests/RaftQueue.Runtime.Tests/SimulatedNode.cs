using RaftQueue.Primitives;
using RaftQueue.TestKit;

namespace RaftQueue.Runtime.Tests;

/// <summary>One node of a <see cref="SimulatedCluster"/>: a disk that outlives it, and a process that may be running.</summary>
internal sealed class SimulatedNode(NodeId id, FakeDisk disk)
{
    public NodeId Id => id;

    public FakeDisk Disk { get; set; } = disk;

    public Node? Node { get; set; }

    public ManualLoopHost? Loops { get; set; }

    public bool IsRunning => Node is not null;
}
