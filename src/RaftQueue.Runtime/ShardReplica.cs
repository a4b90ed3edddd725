using RaftQueue.Consensus;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>
/// One shard on the replica loop: feeds its <see cref="RaftNode"/>, carries out what that asks for, stamps and proposes.
/// </summary>
internal sealed class ShardReplica
{
    private const long ExpireMicroseconds = 200_000;

    /// <summary>A disk that stores nothing for so many election timeouts hangs: others are told. Slow ones are not meant.</summary>
    private const long HangTimeouts = 4;

    /// <summary>How long a new leader lets connected voters say what their clocks show; with all of them voting it does not wait.</summary>
    private const long ClockWaitMicroseconds = 20_000;

    private readonly NodeShared _node;
    private readonly ReplicaLoop _loop;
    private readonly LeaderDuties _duties;
    private long _lastStampMs;
    private long _expiredAt;
    private NodeId _routedTo;
    private Term _routedTerm;
    private Term _clockTerm;
    private Term _electedTerm;
    private long _clockDueAt;
    private bool _getsBack;

    public ShardReplica(NodeShared node, ReplicaLoop loop, RaftNode raft, ShardApply apply, ShardId shard, long lastStampMs)
    {
        _node = node;
        _loop = loop;
        _lastStampMs = lastStampMs;
        Raft = raft;
        Apply = apply;
        _getsBack = apply.HeldUpTo > LogIndex.Zero;
        Shard = shard;
        Clock = new LeaderClock(node.Clock);
        Reads = new ReadRounds(this, node);
        Router = new RequestRouter(this, node);
        Proposals = new Proposals(this, node);
        _duties = new LeaderDuties(this, node, loop.ApplyWatch);
    }

    public ShardId Shard { get; }

    public RaftNode Raft { get; }

    public ShardApply Apply { get; }

    public ShardLink Link => Apply.Link;

    public LeaderClock Clock { get; }

    public ReadRounds Reads { get; }

    public RequestRouter Router { get; }

    public Proposals Proposals { get; }

    /// <summary>
    /// The state here is another than a voter's, and no majority is known to agree with it (<see cref="StateHashWatch"/>). A leader in
    /// doubt brings the log to the others, so that they can say what they have, and serves nobody.
    /// </summary>
    public bool InDoubt { get; set; }

    /// <summary>In doubt: the voters that are known to have something else.</summary>
    public IReadOnlyCollection<NodeId> Differing { get; set; } = [];

    /// <summary>Others are in doubt about each other at a checkpoint position that this node skipped.</summary>
    public bool OthersDiffer { get; set; }

    /// <summary>Bytes of entries since the last checkpoint position that this node applied.</summary>
    public long LogBytesSinceCheckpoint { get; set; }

    /// <summary>The stamp of the next entry: cluster time, never behind the last (section 6 of the design: time in the log).</summary>
    public long NextStampMs() => Math.Max(_lastStampMs, Clock.NowMs);

    /// <summary>Proposes an entry that carries <see cref="NextStampMs"/>; false when consensus takes none now.</summary>
    public bool TryPropose(LogEntry entry, long nowMicroseconds, bool awaitedElsewhere = true)
    {
        if (!Raft.Propose(entry, nowMicroseconds / 1000, awaitedElsewhere)) return false;
        _lastStampMs = entry.Header.TimestampMs;
        return true;
    }

    /// <summary>
    /// One round: timers, what the leader has to say, what waits to be proposed or sent, and everything consensus asks
    /// for, until it asks for nothing more.
    /// </summary>
    public void Advance(long nowMicroseconds)
    {
        if (Raft.NextDeadlineMs <= nowMicroseconds / 1000) Raft.Tick(nowMicroseconds / 1000);
        if (Link.AppliedIndex > Raft.AppliedIndex) Raft.Applied(Link.AppliedIndex, nowMicroseconds / 1000);
        bool roleChanged;
        do
        {
            ProposeOwnBeginning(nowMicroseconds);
            if (Raft.Role == Role.Leader && Raft.Term == _clockTerm && !Raft.WantsTermStart)
            {
                _duties.Run(nowMicroseconds);
                Proposals.Flush(nowMicroseconds);
            }

            Reads.Flush(nowMicroseconds);
            roleChanged = Drain(nowMicroseconds);
        }
        while (roleChanged || !Raft.Effects.IsEmpty);

        Router.Flush(nowMicroseconds);
        if (_getsBack) LookWhatIsBack();
    }

    /// <summary>When this shard wants to run again without an input, monotonic microseconds.</summary>
    public long NextDeadline(long nowMicroseconds)
    {
        long deadline = Raft.NextDeadlineMs >= long.MaxValue / 1000 ? long.MaxValue : Raft.NextDeadlineMs * 1000;
        if (Raft.Role == Role.Leader && Raft.Term != _clockTerm) deadline = Math.Min(deadline, _clockDueAt);
        return Math.Min(deadline, _duties.NextDeadline(nowMicroseconds));
    }

    /// <summary>Housekeeping that need not be prompt, every few dozen milliseconds.</summary>
    public void Sweep(long nowMicroseconds)
    {
        Router.Retry(nowMicroseconds);
        if (nowMicroseconds - _expiredAt >= ExpireMicroseconds)
        {
            _expiredAt = nowMicroseconds;
            Router.Expire(nowMicroseconds);
        }

        Reads.Expire(nowMicroseconds);
        long unsyncedSince = _node.Wal.OldestUnsyncedMicroseconds;
        Raft.LogHangs = unsyncedSince != 0 && nowMicroseconds - unsyncedSince > HangTimeouts * _node.Options.ElectionTimeoutMs * 1000L;
        long stuckSince = _loop.ApplyWatch.StuckSinceMicroseconds;
        Raft.ApplyStuckSinceMs = stuckSince == 0 ? null : stuckSince / 1000;
        Raft.IsUnfit = _node.IsDiskFull || Raft.ApplyHangs;
        if (Raft.Role == Role.Leader) _duties.Sweep(nowMicroseconds);
    }

    /// <summary>A checkpoint took the place of the log up to an entry with this stamp.</summary>
    public void Installed(long stampMs)
    {
        if (Raft.LastIndex == Raft.CommitIndex) _lastStampMs = Math.Max(_lastStampMs, stampMs);
        LogBytesSinceCheckpoint = 0;
    }

    /// <summary>The connection to a peer is gone, and with it what was on its way.</summary>
    public void ConnectionLost(NodeId peer, long nowMicroseconds)
    {
        Raft.ConnectionClosed(peer, nowMicroseconds / 1000);
        Reads.Forget(peer);
        Apply.PeerGone(peer);
        // Should the same leader be heard again in the same term, open requests are sent to it again.
        if (peer == _routedTo) _routedTo = NodeId.None;
    }

    /// <summary>What status pages show; made now and then, because it may be read from any thread.</summary>
    public ShardView Describe() => new(
        Raft.Role, Raft.Term, Raft.Leader, Raft.CommitIndex, Raft.KnownCommit, Raft.LastIndex, Raft.Membership, Raft.DescribePeers(), InDoubt);

    /// <summary>The node stops: a leader hands over, waiting leases are answered now.</summary>
    public void BeginStop(long nowMicroseconds)
    {
        if (Raft.Role == Role.Leader) Raft.TransferLeadership(NodeId.None, nowMicroseconds / 1000);
        Router.EndWaits(nowMicroseconds);
    }

    public void Abandon()
    {
        Reads.Abandon();
        Router.Abandon();
    }

    private void ProposeOwnBeginning(long nowMicroseconds)
    {
        // Before the first stamp of the term: what is stamped with an older time would fall due too early.
        if (Raft.Role == Role.Leader && Raft.Term != _clockTerm && !TryStartClock(nowMicroseconds)) return;
        if (Raft.WantsMembership is { } membership)
        {
            TryPropose(
                LogEntry.ForMembership(Shard, Raft.Term, Raft.LastIndex.Next, NextStampMs(), membership), nowMicroseconds);
        }

        if (Raft.WantsTermStart)
        {
            TryPropose(LogEntry.TermStart(Shard, Raft.Term, Raft.LastIndex.Next, NextStampMs()), nowMicroseconds);
        }
    }

    /// <summary>
    /// False while connected voters may still say what their clocks show, for a short time: who begins with a slow clock and only one
    /// other follows the slow one. Votes and the answers to the first heartbeats bring what is missing.
    /// </summary>
    private bool TryStartClock(long nowMicroseconds)
    {
        if (_electedTerm != Raft.Term)
        {
            _electedTerm = Raft.Term;
            _clockDueAt = nowMicroseconds + ClockWaitMicroseconds;
        }

        IReadOnlyList<MemberInfo> voters = Raft.Membership!.Voters;
        if (nowMicroseconds < _clockDueAt && AwaitsClockOf(voters)) return false;
        _clockTerm = Raft.Term;
        Clock.Start(_lastStampMs, voters);
        return true;
    }

    private bool AwaitsClockOf(IReadOnlyList<MemberInfo> voters)
    {
        foreach (MemberInfo voter in voters)
        {
            if (voter.Id == _node.Self || Clock.HasHeard(voter.Id)) continue;
            if (_loop.IncarnationOf(voter.Id) == voter.Incarnation) return true;
        }

        return false;
    }

    /// <summary>
    /// The state begins blank though there was one. A log that had more entries than were ever committed is not going to be as long again:
    /// that all of what it has is committed will do.
    /// </summary>
    private void LookWhatIsBack()
    {
        if (Raft.LacksLog || Raft.Leader.IsNone || Raft.LastIndex == LogIndex.Zero || Raft.CommitIndex < Raft.LastIndex) return;
        _getsBack = false;
        Apply.HoldsAll(Raft.CommitIndex);
    }

    /// <summary>Carries out what consensus asks for; true when role, term or leader changed, which may ask for more.</summary>
    private bool Drain(long nowMicroseconds)
    {
        Effects effects = Raft.Effects;
        if (effects.HardStateToSave is { } hardState)
        {
            _node.Wal.SaveHardState(Shard, hardState);
            _loop.LogWritten();
        }

        if (effects.LogRestart is { } restart)
        {
#if PLANTED_BUGS
            if (!PlantedBugs.Has(PlantedBug.LogNotRestartedAfterInstall))
#endif
            _node.Wal.RestartAt(Shard, restart.Index, restart.Term, effects.LogFloor);
            _loop.LogWritten();
        }

        if (effects.EntriesToWrite.Count > 0)
        {
            _node.Wal.Append(Shard, effects.EntriesToWrite);
            _lastStampMs = effects.EntriesToWrite[^1].Header.TimestampMs;
            foreach (LogEntry entry in effects.EntriesToWrite) LogBytesSinceCheckpoint += entry.SizeBytes;
            _loop.LogWritten();
        }

        foreach (Message message in effects.Messages) _loop.Send(message);
        if (effects.CommitAdvanced) Apply.Committed(effects.CommitIndex);
        if (effects.Checkpoint is { } needed) _loop.Transfers.Need(this, needed, _loop.Peers.ConnectedPeers(), nowMicroseconds);
        bool roleChanged = effects.RoleChanged;
        bool membershipChanged = effects.MembershipChanged;
        if (effects.Reads.Count > 0)
        {
            foreach (ReadResult result in effects.Reads) Reads.Decided(result, nowMicroseconds);
        }

        effects.Clear();
        if (membershipChanged) _loop.MembershipChanged();
        if (roleChanged) RoleChanged(nowMicroseconds);
        return roleChanged;
    }

    private void RoleChanged(long nowMicroseconds)
    {
        bool leads = Raft.Role == Role.Leader;
#if PLANTED_BUGS
        if (!leads && PlantedBugs.Has(PlantedBug.LostLeadershipDecides)) Router.RefuseProposed();
#endif
        if (!leads) Proposals.Drop();
        NodeId leader = Raft.Leader;
        bool sameAsBefore = leader == _routedTo && Raft.Term == _routedTerm;
        Apply.LeadershipChanged(leads ? Raft.Term : Term.Zero, Clock);
        if (leader.IsNone || sameAsBefore) return;
        _routedTo = leader;
        _routedTerm = Raft.Term;
        _duties.TermStarted(nowMicroseconds);
        _node.Log.Info($"shard {Shard}: node {leader} leads term {Raft.Term}{(leads ? " (this node)" : "")}");
        Reads.LeaderChanged();
        Proposals.Drop();
        Router.LeaderChanged(nowMicroseconds);
    }
}
