using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>A fetched checkpoint is durable and loaded here: the log goes on behind it, and then apply does.</summary>
internal sealed class CheckpointInstalled(ShardId shard, CheckpointInfo info, ShardState state) : IReplicaInput
{
    public void Run(ReplicaLoop loop, long nowMicroseconds)
    {
        ShardReplica replica = loop.Shard(shard);
        // What consensus took before stands in the log first: both begin behind the checkpoint with the same entries.
        replica.Advance(nowMicroseconds);
        replica.Raft.InstallCheckpoint(info.Index, info.Term, state.Membership!, nowMicroseconds / 1000);
        // Where the log goes on behind the checkpoint this only releases what the checkpoint covers.
#if PLANTED_BUGS
        if (!PlantedBugs.Has(PlantedBug.LogNotRestartedAfterInstall))
#endif
        loop.Wal.RestartAt(shard, info.Index, info.Term);
        loop.LogWritten();
        replica.Installed(info.TimestampMs);
        replica.Router.EntriesSkipped();
        // Only now: nothing may be applied that consensus does not know to be committed.
        replica.Apply.Install(state);
    }
}
