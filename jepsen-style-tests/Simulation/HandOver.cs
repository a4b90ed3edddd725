using RaftQueue.Primitives;
using RaftQueue.Runtime;

namespace RaftQueue.Simulation;

/// <summary>Asks a leader to hand over to another node.</summary>
internal sealed class HandOver(ShardId shard, NodeId to) : IReplicaInput
{
    public void Run(ReplicaLoop loop, long nowMicroseconds) => loop.Shard(shard).Raft.TransferLeadership(to, nowMicroseconds / 1000);
}
