using RaftQueue.Consensus;
using RaftQueue.Primitives;
using RaftQueue.Storage;

namespace RaftQueue.Runtime;

/// <summary>Hands what the log made durable to the replica loop.</summary>
internal sealed class LogEvents(NodeShared node, ReplicaLoop replica) : IWalListener
{
    public void Persisted(ShardId shard, LogIndex index, Term term) => replica.Post(new EntriesPersisted(shard, index, term));

    public void HardStatePersisted(ShardId shard, HardState state) => replica.Post(new VotePersisted(shard, state));

    public void DiskFullChanged(bool full)
    {
        if (full) node.Log.Error("the log's disk is full: new work is refused, finishing goes on with the reserve");
        else node.Log.Info("the log's disk has space again");
    }

    private sealed class EntriesPersisted(ShardId shard, LogIndex index, Term term) : IReplicaInput
    {
        public void Run(ReplicaLoop loop, long nowMicroseconds) =>
            loop.Shard(shard).Raft.Persisted(index, term, nowMicroseconds / 1000);
    }

    private sealed class VotePersisted(ShardId shard, HardState state) : IReplicaInput
    {
        public void Run(ReplicaLoop loop, long nowMicroseconds) =>
            loop.Shard(shard).Raft.HardStatePersisted(state, nowMicroseconds / 1000);
    }
}
