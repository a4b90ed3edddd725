using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>A checkpoint position was applied: the log counts from here again.</summary>
internal sealed class CheckpointNamed(ShardId shard) : IReplicaInput
{
    public void Run(ReplicaLoop loop, long nowMicroseconds) => loop.Shard(shard).LogBytesSinceCheckpoint = 0;
}
