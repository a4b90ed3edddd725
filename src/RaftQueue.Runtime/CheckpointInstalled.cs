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
        bool logGoesOn = loop.Wal.Log(shard).TermAt(index) == term;
        replica.Raft.InstallCheckpoint(index, term, membership, nowMicroseconds / 1000);
        if (logGoesOn) loop.Wal.Release(shard, index);
        else loop.Wal.RestartAt(shard, index, term);
        replica.Installed(stampMs);
        loop.LogWritten();
    }
}
