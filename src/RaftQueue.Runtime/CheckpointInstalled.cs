using RaftQueue.Consensus;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>A fetched checkpoint is durable and loaded here: the log goes on behind it.</summary>
internal sealed class CheckpointInstalled(ShardId shard, LogIndex index, Term term, MembershipRecord membership, long stampMs)
    : IReplicaInput
{
    public void Run(ReplicaLoop loop, long nowMicroseconds)
    {
        ShardReplica replica = loop.Shard(shard);
        replica.Raft.InstallCheckpoint(index, term, membership, nowMicroseconds / 1000);
        // Where the log goes on behind the checkpoint this only releases what the checkpoint covers.
        loop.Wal.RestartAt(shard, index, term);
        loop.LogWritten();
        replica.Installed(stampMs);
    }
}
