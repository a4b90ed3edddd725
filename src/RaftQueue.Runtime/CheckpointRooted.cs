using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>This node has a checkpoint whose page tree has this root hash.</summary>
internal sealed class CheckpointRooted(ShardId shard, LogIndex index, ulong root) : IReplicaInput
{
    public void Run(ReplicaLoop loop, long nowMicroseconds) => loop.Hashes.HasCheckpoint(loop.Shard(shard), index, root);
}
