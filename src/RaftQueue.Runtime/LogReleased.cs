using RaftQueue.Consensus;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>A durable checkpoint covers the log up to here: older entries are not needed.</summary>
internal sealed class LogReleased(ShardId shard, LogIndex upTo, Term term, MembershipRecord membership) : IReplicaInput
{
    public void Run(ReplicaLoop loop, long nowMicroseconds)
    {
        loop.Shard(shard).Raft.Compacted(upTo, term, membership);
        loop.Wal.Release(shard, upTo);
    }
}
