using RaftQueue.Consensus;
using RaftQueue.Jobs;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>
/// What a leader proposes of its own accord: ticks when something is due, its settings, checkpoint positions; and when it
/// hands over: a hung disk, a stuck apply, a full disk, another node that should lead this shard.
/// </summary>
internal sealed class LeaderDuties(ShardReplica replica, NodeShared node, ApplyWatch applyWatch)
{
    private const long TickSpacingMicroseconds = 10_000;
    private const long SlewMicroseconds = 100_000;
    private const long BalanceMicroseconds = 5_000_000;
    private const long CheckpointSpacingMicroseconds = 1_000_000;
    private const long DoubtMicroseconds = 5_000_000;
    private const int MaxPinnedSegments = 4;
    private const long MostWorkMicroseconds = 20_000_000;
    private const long LeastWorkMicroseconds = 1_000_000;
    private const long QuietMicroseconds = 5_000_000;

    private LogIndex _tickIndex;
    private LogIndex _settingsIndex;
    private LogIndex _checkpointIndex;
    private long _tickedAt;
    private long _slewedAt;
    private long _checkpointAt;
    private long _workSeenAt;
    private long _workSeen;
    private long _makeWayAt;
    private long _handOverAt;
    private long _handOverPause = BalanceMicroseconds;
#if PLANTED_BUGS
    private long _unknownUntilMs;
#endif

    /// <summary>A term began, led by whoever: nothing proposed before is waited for.</summary>
    public void TermStarted(long nowMicroseconds)
    {
        _tickIndex = _settingsIndex = _checkpointIndex = LogIndex.Zero;
        _makeWayAt = nowMicroseconds + BalanceMicroseconds;
        _handOverAt = nowMicroseconds + _handOverPause;
#if PLANTED_BUGS
        _unknownUntilMs = replica.NextStampMs() + 10_000;
#endif
    }

    /// <summary>Every round of the loop while this node leads and its term has begun.</summary>
    public void Run(long nowMicroseconds)
    {
        if (nowMicroseconds - _slewedAt >= SlewMicroseconds)
        {
            _slewedAt = nowMicroseconds;
            replica.Clock.Slew(replica.Raft.Membership!.Voters);
        }

        if (!replica.Raft.LeaderReady) return;
        ShardLink link = replica.Link;
        if (_tickIndex <= link.AppliedIndex && TickIsDue(link, nowMicroseconds))
        {
            _tickedAt = nowMicroseconds;
            _tickIndex = replica.Raft.LastIndex.Next;
            replica.Proposals.AddOwn(CommandType.Tick, CommandBodies.Empty);
        }

        if (link.SettingsDiffer && _settingsIndex <= link.AppliedIndex)
        {
            _settingsIndex = replica.Raft.LastIndex.Next;
            replica.Proposals.AddOwn(CommandType.Settings, CommandBodies.Settings(node.Options.Settings));
        }

        if (_checkpointIndex <= link.AppliedIndex && CheckpointIsDue(nowMicroseconds))
        {
            _checkpointAt = nowMicroseconds;
            _checkpointIndex = replica.Raft.LastIndex.Next;
            replica.Proposals.AddOwn(CommandType.Checkpoint, CommandBodies.Empty);
        }
    }

    public long NextDeadline(long nowMicroseconds)
    {
        if (!replica.Raft.LeaderReady || _tickIndex > replica.Link.AppliedIndex) return long.MaxValue;
#if PLANTED_BUGS
        if (IsUnknown(replica.Link)) return nowMicroseconds + SlewMicroseconds;
#endif
        long due = replica.Clock.MonotonicMicrosecondsAt(replica.Link.NextDueMs);
        return Math.Max(due, replica.Link.HasDueWork ? nowMicroseconds : _tickedAt + TickSpacingMicroseconds);
    }

    /// <summary>Now and then while this node leads: should it?</summary>
    public void Sweep(long nowMicroseconds)
    {
        long nowMs = nowMicroseconds / 1000;
        long patience = node.Options.ElectionTimeoutMs * 1000L;
        long logSince = node.Wal.OldestUnsyncedMicroseconds;
        long applySince = applyWatch.StuckSinceMicroseconds;
#if PLANTED_BUGS
        if (PlantedBugs.Has(PlantedBug.HungLeaderStays)) logSince = applySince = 0;
#endif
        bool logHangs = logSince != 0 && nowMicroseconds - logSince > patience;
        bool applyHangs = applySince != 0 && nowMicroseconds - applySince > patience;
        if (logHangs && replica.Raft.AnotherStores(nowMs)) StepDown("its log's disk hangs", nowMs, $", at {node.Wal.Meter?.Phase}");
        else if (applyHangs && replica.Raft.AnotherApplies(nowMs)) StepDown("its apply loop is stuck", nowMs, $", at {node.ApplyMeter.Phase}");
        else if (node.IsDiskFull) MakeWay(nowMicroseconds, nowMs);
        else if (nowMicroseconds >= _handOverAt) ConsiderHandOver(nowMicroseconds, nowMs);
    }

    private void StepDown(string reason, long nowMs, string detail)
    {
        node.Log.Warning($"shard {replica.Shard}: this node gives up leading term {replica.Raft.Term}: {reason}{detail}");
        replica.Raft.StepDown(reason, nowMs);
    }

    /// <summary>A full leader refuses new work. Where all are full, leadership goes round slowly.</summary>
    private void MakeWay(long nowMicroseconds, long nowMs)
    {
        if (nowMicroseconds < _makeWayAt) return;
        _makeWayAt = nowMicroseconds + BalanceMicroseconds;
        replica.Raft.TransferLeadership(NodeId.None, nowMs);
    }

    private bool TickIsDue(ShardLink link, long nowMicroseconds)
    {
#if PLANTED_BUGS
        if (IsUnknown(link)) return false;
#endif
        return link.HasDueWork
            || (link.NextDueMs <= replica.NextStampMs() && nowMicroseconds - _tickedAt >= TickSpacingMicroseconds);
    }

#if PLANTED_BUGS
    private bool IsUnknown(ShardLink link) =>
        PlantedBugs.Has(PlantedBug.TimersOnlyInLeaderMemory) && link.NextDueMs <= _unknownUntilMs;

#endif
    private bool CheckpointIsDue(long nowMicroseconds)
    {
        if (nowMicroseconds - _checkpointAt < CheckpointSpacingMicroseconds) return false;
        if (node.Wal.SegmentsPinnedBy(replica.Shard) > MaxPinnedSegments) return true;
        if (replica.InDoubt) return nowMicroseconds - _checkpointAt >= DoubtMicroseconds && EnoughHaveTheLog();
        // Those who differ serve nobody until a third says what it has.
        if (replica.OthersDiffer && nowMicroseconds - _checkpointAt >= DoubtMicroseconds) return true;
        return replica.LogBytesSinceCheckpoint > node.Options.CheckpointLogMiB * 1024L * 1024 || WorkIsMuch(nowMicroseconds);
    }

    /// <summary>
    /// A restart would take long to apply again what little log holds: timers that fall due together, jobs on cold pages. Where the load
    /// has ceased less is enough, because then a checkpoint disturbs nobody.
    /// </summary>
    private bool WorkIsMuch(long nowMicroseconds)
    {
        long work = replica.Link.AppliedMicroseconds;
        if (work > MostWorkMicroseconds) return true;
        if (nowMicroseconds - _workSeenAt < QuietMicroseconds) return false;
        long recent = work - _workSeen;
        _workSeen = work;
        _workSeenAt = nowMicroseconds;
        return work > LeastWorkMicroseconds && recent is >= 0 and < QuietMicroseconds / 10;
    }

    /// <summary>
    /// So many voters can say at the next entry what they have that one of them may differ, or a majority whose voters have said nothing else
    /// so far. Before, a position helps nobody: the log that a node needs which is behind would be given up for it.
    /// </summary>
    private bool EnoughHaveTheLog()
    {
        IReadOnlyList<MemberInfo> voters = replica.Raft.Membership!.Voters;
        int majority = (voters.Count / 2) + 1;
        int have = 1;
        int differ = 0;
        foreach (PeerProgress peer in replica.Raft.DescribePeers())
        {
            if (peer.Match != replica.Raft.LastIndex || !replica.Raft.Membership.IsVoter(peer.Id)) continue;
            have++;
            if (replica.Differing.Contains(peer.Id)) differ++;
        }

        return have >= Math.Min(voters.Count, majority + 1) || (have >= majority && differ == 0);
    }

    private void ConsiderHandOver(long nowMicroseconds, long nowMs)
    {
        _handOverAt = nowMicroseconds + BalanceMicroseconds;
        if (node.Options.Shards == 1 || replica.Raft.Membership is not { IsJoint: false } membership) return;
        NodeId preferred = membership.Voters[replica.Shard.Value % membership.Voters.Count].Id;
        if (preferred == node.Self) return;
        // Each hand-over that did not last makes the next one rarer, so that a sick node is not made leader for ever.
        if (IsFit(preferred, nowMs) && replica.Raft.TransferLeadership(preferred, nowMs))
        {
            _handOverPause = Math.Min(_handOverPause * 2, 300_000_000);
        }
    }

    private bool IsFit(NodeId peer, long nowMs)
    {
        foreach (PeerProgress progress in replica.Raft.DescribePeers())
        {
            if (progress.Id == peer)
            {
                return !progress.IsUnfit && progress.State == ProgressState.Replicate && nowMs - progress.LastHeardMs < node.Options.ElectionTimeoutMs;
            }
        }

        return false;
    }
}
