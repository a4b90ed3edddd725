using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>Pages of this node's own checkpoint could not be read when a peer asked for them.</summary>
internal sealed class PagesDamaged(ShardId shard, PageName[] pages) : IReplicaInput
{
    public void Run(ReplicaLoop loop, long nowMicroseconds) => 
        loop.Transfers.Damaged.Add(shard, loop.Shard(shard).Link, pages);
}
