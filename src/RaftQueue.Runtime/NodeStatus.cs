using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>What a node knows of itself and its peers at this moment.</summary>
public sealed record NodeStatus(
    string ClusterId, NodeId NodeId, Incarnation Incarnation, IReadOnlyList<ShardStatus> Shards, IReadOnlyList<LoopStatus> Loops);
