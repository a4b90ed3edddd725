using RaftQueue.Consensus;
using RaftQueue.Primitives;
using RaftQueue.Runtime;

namespace RaftQueue.Simulation;

/// <summary>
/// Since when the disk of a leader's log stands still with entries on it that are not durable, while another voter's disk stores what it gets:
/// a leader does not make way where none does. Known from the simulated loops, disks and paths, not from what the leader
/// believes; only where messages are lost or late does it depend on what arrived, and the leader is asked who stores.
/// </summary>
internal sealed class StuckLogs(SimulatedCluster cluster)
{
    /// <summary>Less than half an election timeout, after which a disk that was sent something counts as one that stores nothing.</summary>
    private const long StoredMicroseconds = 100_000;

    private readonly Dictionary<(NodeId Leader, ShardId), long> _heldSince = [];
    private readonly Dictionary<(NodeId Leader, ShardId), long> _aloneUntil = [];
    private readonly Dictionary<(NodeId Leader, NodeId, ShardId), (LogIndex Durable, long GrewAt)> _stored = [];

    /// <summary>Of a node that leads, by true monotonic time; null when its log is not stuck.</summary>
    public long? Since(SimulatedNode leader, ShardReplica replica, long nowMicroseconds)
    {
        (NodeId, ShardId) key = (leader.Id, replica.Shard);
        if (leader.Loops!.StandsSince(Loop.Log) is not { } stands || IsStored(leader, replica.Shard, replica.Raft.LastIndex))
        {
            _heldSince.Remove(key);
            return null;
        }

        _heldSince.TryAdd(key, nowMicroseconds);
        if (!AnotherStores(leader, replica, nowMicroseconds)) _aloneUntil[key] = nowMicroseconds;
        return Math.Max(leader.Clock.ToTrue(stands), Math.Max(_heldSince[key], _aloneUntil.GetValueOrDefault(key)));
    }

    private static bool IsStored(SimulatedNode node, ShardId shard, LogIndex index)
    {
        // Behind a checkpoint it stands nowhere else.
        if (node.Node!.Parts.Shared.Wal.PlaceOf(shard, index) is not { } place) return true;
        return place.Path is not null && node.Disk.IsDurable(place.Path, place.Offset, place.Bytes);
    }

    private bool AnotherStores(SimulatedNode leader, ShardReplica replica, long now)
    {
        NetworkWeather weather = cluster.Network.Weather;
        if (weather.LossPercent > 0 || weather.LatePerMille > 0) return replica.Raft.AnotherStores(leader.Clock.MonotonicMicroseconds / 1000);
        bool any = false;
        foreach (MemberInfo voter in replica.Raft.Membership!.Voters)
        {
            if (voter.Id != leader.Id) any |= Stores(leader, replica, voter, now);
        }

        return any;
    }

    /// <summary>It follows, what is sent to it arrives, and its disk has all of it or had more of it lately than before.</summary>
    private bool Stores(SimulatedNode leader, ShardReplica replica, MemberInfo voter, long now)
    {
        SimulatedNode node = cluster[voter.Id.Value];
        if (node.Node is not { } running || node.IsPaused || node.Loops!.StandsSince(Loop.Log) is not null) return false;
        if (running.Parts.Shared.Incarnation != voter.Incarnation || !AreInTouch(leader.Id, node.Id)) return false;
        RaftNode raft = running.Parts.Replica.Shards[replica.Shard.Value].Raft;
        if (raft.Term != replica.Raft.Term || raft.Leader != leader.Id) return false;
        LogIndex last = replica.Raft.LastIndex;
        IStoredLog log = running.Parts.Shared.Wal.Log(replica.Shard);
        if (log.TermAt(last) == replica.Raft.LastTerm && IsStored(node, replica.Shard, last)) return true;
        (NodeId, NodeId, ShardId) key = (leader.Id, node.Id, replica.Shard);
        LogIndex durable = LogIndex.Min(raft.DurableIndex, last);
        if (!_stored.TryGetValue(key, out (LogIndex Durable, long GrewAt) before)) before = (durable, now - StoredMicroseconds - 1);
        if (durable > before.Durable) before = (durable, now);
        _stored[key] = before;
        return now - before.GrewAt <= StoredMicroseconds;
    }

    private bool AreInTouch(NodeId one, NodeId other) =>
        cluster.Network.IsConnected(one, other) && IsOpen(cluster.Network.Path(one, other)) && IsOpen(cluster.Network.Path(other, one));

    private bool IsOpen(NetworkPath path) => path is { IsCut: false, LosesKind: null } && path.CloggedUntil <= cluster.Clock.MonotonicMicroseconds;
}
