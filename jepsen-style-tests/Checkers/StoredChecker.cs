using RaftQueue.Primitives;

namespace RaftQueue.Checkers;

/// <summary>
/// P10, over restarts: what a node had stored for certain, and knew to be committed, it holds when it starts again under the same
/// incarnation, or it does not vote. O(1).
/// </summary>
public sealed class StoredChecker
{
    private readonly Dictionary<(ShardId Shard, Incarnation Life), long> _stored = [];

    /// <summary>A node has stored what is committed up to this index in such a way that damage to it is never taken for a torn tail.</summary>
    public void Stores(ShardId shard, Incarnation life, long index)
    {
        if (index > _stored.GetValueOrDefault((shard, life))) _stored[(shard, life)] = index;
    }

    /// <summary>A node starts with a log that ends here.</summary>
    public void Starts(ShardId shard, Incarnation life, NodeId node, long lastIndex, bool mayVote)
    {
        long stored = _stored.GetValueOrDefault((shard, life));
        Require.That(
            !mayVote || lastIndex >= stored,
            $"P10: node {node} starts with shard {shard} up to {lastIndex}, had stored it up to {stored}, and would vote");
    }
}
