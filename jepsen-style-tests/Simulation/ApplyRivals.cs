using System.Runtime.InteropServices;
using RaftQueue.Primitives;
using RaftQueue.Runtime;
using RaftQueue.TestKit;

namespace RaftQueue.Simulation;

/// <summary>
/// Who could lead in place of a leader whose apply stands still, seen from outside: by which loops run, which ways are open and what is
/// durable where, and not by what nodes say of themselves. A leader that nobody could replace need not go.
/// </summary>
internal sealed class ApplyRivals(SimulatedCluster cluster)
{
    /// <summary>A voter that cannot be heard may be able to lead; a leader tries that after so long.</summary>
    private const long SilenceMicroseconds = 10 * 300_000;

    /// <summary>An election timeout after the last answer, and what was on its way.</summary>
    private const long NoticedMicroseconds = 350_000;

    /// <summary>Who has not everything has to have stored something since.</summary>
    private const long StoredMicroseconds = 100_000;

    /// <summary>Where messages are lost or late, news take longer.</summary>
    private const long BadWeatherMicroseconds = 2_000_000;

    private readonly Dictionary<(NodeId Leader, ShardId), long> _noneUntil = [];
    private readonly Dictionary<(NodeId Leader, NodeId Other), long> _reachedAt = [];
    private readonly Dictionary<(NodeId, ShardId), (LogIndex Durable, long At)> _stored = [];

    /// <summary>
    /// Told after every step of a leader whose apply has stood still since a time: from when on somebody could have led in its place, or
    /// should have been tried; null: nobody yet. True times.
    /// </summary>
    public long? Since(SimulatedNode leader, ShardReplica replica, long standsSince, long now)
    {
        bool someAble = false;
        long? silent = null;
        foreach (SimulatedNode other in cluster.Nodes)
        {
            if (other == leader || replica.Raft.Membership?.IsVoter(other.Id) != true) continue;
            if (!IsReached(leader, other))
            {
                long lost = Math.Max(standsSince, _reachedAt.GetValueOrDefault((leader.Id, other.Id)) + NoticedMicroseconds);
                silent = Math.Min(silent ?? long.MaxValue, lost);
                continue;
            }

            _reachedAt[(leader.Id, other.Id)] = now;
            someAble |= IsAble(leader, replica, other, now);
        }

        if (!someAble) _noneUntil[(leader.Id, replica.Shard)] = now;
        long? able = someAble ? Math.Max(standsSince, _noneUntil.GetValueOrDefault((leader.Id, replica.Shard))) + WeatherMicroseconds : null;
        return Earlier(able, silent + SilenceMicroseconds);
    }

    private long WeatherMicroseconds =>
        cluster.Network.Weather is { LossPercent: 0, LatePerMille: 0, BytesPerMs: 0 } ? 0 : BadWeatherMicroseconds;

    private static long? Earlier(long? one, long? other) => one is null || other < one ? other : one;

    private bool IsReached(SimulatedNode leader, SimulatedNode other) =>
        other is { IsRunning: true, IsPaused: false } && cluster.Network.IsConnected(leader.Id, other.Id)
        && !cluster.Network.IsCut(leader.Id, other.Id) && !cluster.Network.IsCut(other.Id, leader.Id);

    private bool IsAble(SimulatedNode leader, ShardReplica replica, SimulatedNode other, long now)
    {
        ShardReplica rival = other.Node!.Parts.Replica.Shard(replica.Shard);
        ref (LogIndex Durable, long At) stored = ref CollectionsMarshal.GetValueRefOrAddDefault(_stored, (other.Id, replica.Shard), out _);
        if (stored.Durable != rival.Raft.DurableIndex) stored = (rival.Raft.DurableIndex, now);
        bool runs = other.Loops!.StandsSince(Loop.Apply) is null && other.Loops.StandsSince(Loop.Log) is null
            && other.Disk is { CapacityBytes: null, Broken: BrokenParts.None };
        bool isOpen = IsOpen(leader.Id, other.Id, now) && IsOpen(other.Id, leader.Id, now);
        bool isNamed = replica.Raft.Membership!.Names(other.Id, other.Node.Parts.Shared.Incarnation);
        return runs && isOpen && isNamed && stored.Durable >= replica.Raft.CommitIndex
            && (stored.Durable >= replica.Raft.LastIndex || now - stored.At <= StoredMicroseconds);
    }

    private bool IsOpen(NodeId from, NodeId to, long now) =>
        cluster.Network.Path(from, to) is { LosesKind: null } path && path.CloggedUntil <= now;
}
