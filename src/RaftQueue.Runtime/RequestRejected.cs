using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>Who was asked did not propose a request of ours.</summary>
internal sealed class RequestRejected(ShardId shard, NodeId from, NotAppliedReason reason, ulong number) : IReplicaInput
{
    public void Run(ReplicaLoop loop, long nowMicroseconds) => loop.Shard(shard).Router.Rejected(from, reason, number);
}
