using RaftQueue.Consensus;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>A waiting lease request can be granted: its command goes into the next entry.</summary>
internal sealed class ProposeLease(ShardId shard, Term term, LeaseWaiter waiter) : IReplicaInput
{
    public void Run(ReplicaLoop loop, long nowMicroseconds)
    {
        ShardReplica replica = loop.Shard(shard);
        // A request that waited on an earlier leadership of this node has registered anew.
        if (replica.Raft.Role != Role.Leader || replica.Raft.Term != term) return;
        replica.Proposals.AddLease(waiter.OriginNode, waiter.Origin, waiter.Number, waiter.Body);
    }
}
