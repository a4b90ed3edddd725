using RaftQueue.Checkers;
using RaftQueue.Consensus;
using RaftQueue.Jobs;
using RaftQueue.Runtime;

namespace RaftQueue.Simulation;

/// <summary>
/// P11, of nodes that are up, after every step: none has more under way than it has room for. Of whoever leads: not with a disk or an
/// apply loop that hangs, and what is due happens. A paused node knows of nothing, nor for a moment afterwards, and one that stops has other things to do.
/// </summary>
internal sealed class LeaderWatch(SimulatedCluster cluster)
{
    /// <summary>An election timeout (or what it takes until news of another are there), and then the next round of the housekeeping.</summary>
    private const long MostStuckMs = 300 + 100;

    private const long MostLateMs = 200;

    /// <summary>What finishes work is admitted when new work is refused.</summary>
    private const int RoomFactor = 2;

    /// <summary>What the largest batches of several clients and the work on what is there may take above the high-water mark.</summary>
    private const long PagesAtOnce = 400;

    /// <summary>What clients may have asked for before a first leader wrote the settings to the log.</summary>
    private const long KeysBeforeSettings = 20;

    private readonly StuckLogs _logs = new(cluster);
    private readonly ApplyRivals _rivals = new(cluster);
    private readonly LeaderChecker _checker = new(MostStuckMs, MostLateMs);

    /// <summary>After every step, for every running node that did anything: whoever leads does so every 25 ms.</summary>
    public void Look(SimulatedNode node, Node running, long nowMicroseconds)
    {
        bool isItself = nowMicroseconds - node.PausedUntilMicroseconds > MostStuckMs * 1000 && running.Parts.Replica.Stopping is null;
        NodeShared shared = running.Parts.Shared;
        RoomChecker.Requests(node.Id, shared.Replies.Count, RoomFactor * shared.Options.MaxPendingRequests);
        RoomChecker.Waiting(node.Id, "reads", shared.Reads.Count, shared.Options.MaxOpenReads);
        foreach (ShardReplica replica in running.Parts.Replica.Shards)
        {
            RaftNode raft = replica.Raft;
            RoomChecker.Waiting(node.Id, "lease requests", replica.Apply.Leases.Count, shared.Options.MaxLeaseWaiters);
            JobStore store = replica.Apply.Store;
            RoomChecker.State(node.Id, replica.Shard, replica.Apply.State.Pages.AllocatedPages, store.Settings.StateHighWaterPages, PagesAtOnce);
            RoomChecker.Keys(node.Id, replica.Shard, store.IdempotencyKeyCount, store.Settings.MaxIdempotencyKeys + KeysBeforeSettings);
            if (!isItself || raft.Role != Role.Leader)
            {
                _checker.Rests(replica.Shard, node.Id);
                continue;
            }

            Stores(replica, node, nowMicroseconds);
            Applies(replica, node, nowMicroseconds);
            _checker.Due(replica.Shard, node.Id, raft.Term.Value, IsDue(replica), nowMicroseconds / 1000);
        }
    }

    /// <summary>Where the disks of all stand still the leader stays.</summary>
    private void Stores(ShardReplica replica, SimulatedNode node, long nowMicroseconds)
    {
        if (_logs.Since(node, replica, nowMicroseconds) is not { } stands) return;
        _checker.Works(replica.Shard, node.Id, Math.Max(stands, node.PausedUntilMicroseconds) / 1000, nowMicroseconds / 1000);
    }

    /// <summary>Where the apply loops of all stand still, or nobody else could lead for another reason, the leader stays.</summary>
    private void Applies(ShardReplica replica, SimulatedNode node, long nowMicroseconds)
    {
        if (node.Loops!.StandsSince(Loop.Apply) is not { } stands) return;
        long since = Math.Max(node.Clock.ToTrue(stands), node.PausedUntilMicroseconds);
        _checker.Works(replica.Shard, node.Id, _rivals.Since(node, replica, since, nowMicroseconds) / 1000, nowMicroseconds / 1000);
    }

    /// <summary>Nothing is under way that would have to end first.</summary>
    private static bool IsDue(ShardReplica replica) =>
        replica.Raft is { LeaderReady: true, IsTransferring: false }
        && replica.Link.AppliedIndex == replica.Raft.LastIndex
        && replica.Link.NextDueMs <= replica.Clock.NowMs;
}
