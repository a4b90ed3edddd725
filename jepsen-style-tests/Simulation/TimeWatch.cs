using RaftQueue.Checkers;
using RaftQueue.Consensus;
using RaftQueue.Primitives;
using RaftQueue.Runtime;

namespace RaftQueue.Simulation;

/// <summary>
/// P5, of cluster time: every stamp is held against the true clocks of the node that made it, in the step in which it did, and the first of
/// a term against the wall clocks of all voters as they were while the leader may have heard of them.
/// </summary>
/// <remarks>
/// The votes that made it leader told it what a majority's clocks showed when they were sent, so the median is no earlier than the slowest
/// clock of all, less what the votes took on their way; what it heard of others may be as old as it likes, that moves the median at
/// most to the slowest of that majority. What is said of a clock is late, never early: the latest median is that of the fastest clocks.
/// </remarks>
internal sealed class TimeWatch(SimulatedCluster cluster)
{
    /// <summary>What a leader uses of another clock is so old at most, by its own clock (LeaderClock); and it may wait for others a little.</summary>
    private const long SampleMs = 10_000 + 500;

    /// <summary>The round of an election in which a vote was sent and counted, and messages in front of it.</summary>
    private const long RoundMs = 1_500;

    private const long RoundingMs = 2;

    private readonly TimeChecker _checker = new();
    private readonly Dictionary<NodeId, Past> _past = cluster.Nodes.ToDictionary(node => node.Id, _ => new Past());

    /// <summary>By how much a message may be late or come again.</summary>
    public long LateMs { get; set; }

    /// <summary>By how much a monotonic clock may go wrong while a sample is used.</summary>
    public long DriftMs { get; set; }

    private long NowMs => cluster.Clock.WallUnixMs;

    /// <summary>Before anything of a step is looked at: what faults did to clocks and nodes since the last.</summary>
    public void Note()
    {
        foreach (SimulatedNode node in cluster.Nodes)
        {
            Past past = _past[node.Id];
            if (past.Walls.Count == 0 || past.Walls[^1].OffsetMs != node.Clock.WallOffsetMs) past.Walls.Add((NowMs, node.Clock.WallOffsetMs));
            if (!node.IsPaused) past.PausedSinceMs = null;
            else if (past.PausedSinceMs is null) (past.PausedSinceMs, past.PausedForMs) = (NowMs, 0);
            if (past.PausedSinceMs is { } since) (past.PausedForMs, past.PausedAtMs) = (NowMs - since, NowMs);
        }
    }

    /// <summary>A node leads, and its log has an entry of its term that it did not have before this step.</summary>
    public void Stamped(SimulatedNode node, ShardReplica replica, LogEntry entry, LogEntry? before)
    {
        long own = node.Clock.MonotonicMicroseconds;
        long stamp = entry.Header.TimestampMs;
        bool isFirst = entry.Index.Value == 1 || (before is not null && before.Term != entry.Term);
        if (isFirst)
        {
            (long least, long most) = Median(node, replica.Raft.Membership!.Voters);
            _checker.Begins(replica.Shard, entry.Term.Value, node.Id, stamp, own, before?.Header.TimestampMs ?? 0, NowMs + least - RoundingMs, NowMs + most + RoundingMs);
        }
        else
        {
            _checker.Stamps(replica.Shard, entry.Term.Value, node.Id, stamp, own, isCorrected: entry.Membership is null);
        }
    }

    /// <summary>By how much the lower median of the leader's own clock and as many others as it may have heard may be wrong.</summary>
    private (long Least, long Most) Median(SimulatedNode leader, IReadOnlyList<MemberInfo> voters)
    {
        long own = leader.Clock.WallOffsetMs;
        Past past = _past[leader.Id];
        // What came while it was paused waited in its sockets.
        long waited = NowMs - past.PausedAtMs <= RoundMs ? past.PausedForMs : 0;
        long behind = RoundMs + LateMs + waited + DriftMs;
        long least = own;
        List<long> fast = [];
        foreach (MemberInfo voter in voters)
        {
            if (voter.Id == leader.Id) continue;
            List<(long FromMs, long OffsetMs)> walls = _past[voter.Id].Walls;
            int oldest = Math.Max(0, walls.FindLastIndex(each => each.FromMs <= NowMs - SampleMs - behind));
            least = Math.Min(least, walls.Skip(oldest).Min(each => each.OffsetMs) - behind);
            fast.Add(walls.Skip(oldest).Max(each => each.OffsetMs) + DriftMs);
        }

        fast.Sort();
        int needed = (voters.Count / 2) + (voters.Any(voter => voter.Id == leader.Id) ? 0 : 1);
        long most = long.MinValue;
        for (int heard = needed; heard <= fast.Count; heard++) most = Math.Max(most, LowerMedian(own, fast.TakeLast(heard)));
        return (least, most);
    }

    private static long LowerMedian(long own, IEnumerable<long> others)
    {
        List<long> all = [own, .. others];
        all.Sort();
        return all[(all.Count - 1) / 2];
    }

    /// <summary>What was done to one node.</summary>
    private sealed class Past
    {
        /// <summary>By how much its wall clock was wrong, and from when on.</summary>
        public List<(long FromMs, long OffsetMs)> Walls { get; } = [];

        /// <summary>Since when it is paused; null while it is not.</summary>
        public long? PausedSinceMs { get; set; }

        /// <summary>How long it was paused the last time.</summary>
        public long PausedForMs { get; set; }

        /// <summary>When it was last seen so.</summary>
        public long PausedAtMs { get; set; } = long.MinValue / 2;
    }
}
