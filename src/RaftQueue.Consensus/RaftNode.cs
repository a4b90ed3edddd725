using RaftQueue.Primitives;

namespace RaftQueue.Consensus;

/// <summary>
/// One shard's Raft on one node: values in, effects out. Single-threaded; knows no IO, clock, thread or randomness but what it is
/// given. Each input takes the monotonic time in milliseconds and may add to <see cref="Effects"/>, which the caller drains after
/// each batch of inputs, before it lets time pass.
/// </summary>
public sealed class RaftNode
{
    private readonly NodeState _state;
    private readonly Messages _messages;
    private readonly Elections _elections;
    private readonly Following _following;
    private readonly Reads _reads;
    private readonly Replication _replication;
    private readonly MembershipChanges _changes;
    private readonly Transfer _transfer;
    private LogIndex _applied;

    public RaftNode(RaftOptions options, RaftStart start, IStoredLog stored, IRandomSource random, long nowMs)
    {
        options.Check();
        bool checkpoint = start.CheckpointIndex.Value > 0;
        Invariant.That(checkpoint == start.CheckpointMembership is not null, "a checkpoint knows its membership");
        Invariant.That(checkpoint == start.CheckpointTerm.Value > 0, "a checkpoint knows its term");
        var log = new LogView(stored, start);
        _state = new NodeState(options, log, random) { NowMs = nowMs };
        LogIndex commit = LogIndex.Max(start.CheckpointIndex, LogIndex.Min(start.CommitHint, log.LastIndex));
        _state.Restore(start.HardState ?? default, log.LastTerm, commit);
        if (start.CheckpointMembership is { } record) _state.Membership.Reset(start.CheckpointIndex, record);
        FindMemberships(stored);
        if (!log.ContinuesCheckpoint && (checkpoint || log.LostTail is not null))
        {
            Effects.LogRestart = (start.CheckpointIndex, start.CheckpointTerm);
            Effects.LogFloor = log.LostTail;
        }

        _messages = new Messages(_state);
        _following = new Following(_state, _messages);
        _reads = new Reads(_state);
        _replication = new Replication(_state, _messages, _reads);
        _changes = new MembershipChanges(_state, _replication);
        _transfer = new Transfer(_state, _messages, _replication);
        _elections = new Elections(_state, _messages, this, start);
    }

    /// <summary>Drained by the caller; always the same object.</summary>
    public Effects Effects => _state.Effects;

    public Term Term => _state.Term;

    /// <summary>The leader of the term as far as known, else none.</summary>
    public NodeId Leader => _state.Leader;

    public Role Role => _state.Role;

    public LogIndex CommitIndex => _state.CommitIndex;

    /// <summary>What is committed by the word of the leader at the last contact, whether or not this node holds it.</summary>
    public LogIndex KnownCommit => LogIndex.Max(_state.CommitIndex, _following.LeaderCommit);

    public LogIndex LastIndex => _state.Log.LastIndex;

    public Term LastTerm => _state.Log.LastTerm;

    /// <summary>The own log is durable through here.</summary>
    public LogIndex DurableIndex => _state.Log.Durable;

    public LogIndex AppliedIndex => _applied;

    /// <summary>The membership in effect (the newest in the log, committed or not); null while the node holds none.</summary>
    public MembershipRecord? Membership => _state.Members;

    /// <summary>The entry of the membership in effect; zero for a provisional one.</summary>
    public LogIndex MembershipIndex => _state.Membership.CurrentIndex;

    /// <summary>Whether the node would vote at all: it is named by its membership and nothing that it promised is lost.</summary>
    public bool CanVote => _elections.CanVote;

    /// <summary>The log has lost what it once held and does not hold it again yet.</summary>
    public bool LacksLog => _elections.LacksLog;

    /// <summary>Leader, and an entry of its own term is committed: it knows all that is committed.</summary>
    public bool LeaderReady => _replication.Ready;

    /// <summary>
    /// Leader with nothing proposed in its term yet: the runtime proposes <see cref="LogEntry.TermStart"/> or any other entry.
    /// False while the log is empty: then <see cref="WantsMembership"/> comes first.
    /// </summary>
    public bool WantsTermStart
    {
        get
        {
#if PLANTED_BUGS
            // An entry of the own term at once hides what counting copies of older ones does.
            if (PlantedBugs.Has(PlantedBug.OldTermCommittedByCounting)) return false;
#endif
            return Role == Role.Leader && LastIndex.Value > 0 && !_replication.TermStarted;
        }
    }

    /// <summary>
    /// The membership that the leader wants proposed now (first entry, swap, promotion, end of a joint one), or null.
    /// </summary>
    public MembershipRecord? WantsMembership => _changes.Wanted;

    /// <summary>
    /// Told by the caller: this node's log has stored nothing for long though it was asked to. It answers heartbeats and says so; it neither
    /// campaigns nor grants pre-votes, because it could not store a vote.
    /// </summary>
    public bool LogHangs
    {
        get => _state.LogHangs;
        set => _state.LogHangs = value;
    }

    /// <summary>
    /// Told by the caller: since when, by the time of these calls, the apply loop has stood still in the middle of its work; null while it
    /// moves or rests. Leaders are told how long that is with every answer to a heartbeat.
    /// </summary>
    public long? ApplyStuckSinceMs
    {
        get => _state.ApplyStuckSinceMs;
        set => _state.ApplyStuckSinceMs = value;
    }

    /// <summary>
    /// The apply loop has stood still for longer than an election timeout: what is committed is not applied here, and nobody is answered. The
    /// node does not campaign, since it could not serve as a leader.
    /// </summary>
    public bool ApplyHangs => _state.ApplyHangs;

    /// <summary>Told by the caller: this node stores what it is sent but should not lead (a full disk). Leaders hand over to others.</summary>
    public bool IsUnfit
    {
        get => _state.IsUnfit;
        set => _state.IsUnfit = value;
    }

    /// <summary>Leadership is being handed over; proposals are refused.</summary>
    public bool IsTransferring => _transfer.IsRunning;

    /// <summary>When <see cref="Tick"/> is due; earlier calls do nothing.</summary>
    public long NextDeadlineMs
    {
        get
        {
            if (_elections.ForgotPromises) return long.MaxValue;
            if (Role != Role.Leader) return _elections.DeadlineMs;
            long replication = Math.Min(Math.Min(_replication.HeartbeatDueMs, _replication.QuorumCheckMs), _replication.NoticeDueMs);
            return Math.Min(replication, _transfer.DeadlineMs);
        }
    }

    /// <summary>Lets due deadlines act.</summary>
    public void Tick(long nowMs)
    {
        AdvanceTo(nowMs);
        if (_elections.ForgotPromises) return;
        if (Role != Role.Leader)
        {
            _elections.Tick();
            return;
        }

        _transfer.Tick();
        if (_replication.Tick()) return;
        LastStepDownReason = "no quorum answered for an election timeout";
        BecomeFollower(NodeId.None);
    }

    /// <summary>Takes a message from a peer. What cannot be meant for this node now is dropped.</summary>
    public void Step(Message message, long nowMs)
    {
        AdvanceTo(nowMs);
        if (!IsForUs(message)) return;
        if (message.Term < Term)
        {
            AnswerEarlierTerm(message);
            return;
        }

        bool asksOnly = message.Kind == MessageKind.PreVote || (message.Kind == MessageKind.PreVoteReply && !message.Reject);
        if (message.Term > Term && !asksOnly)
        {
            if (message.Kind == MessageKind.Vote && !_elections.Hears(message)) return;
            StartTerm(message.Term, NodeId.None);
            BecomeFollower(NodeId.None);
        }

        Dispatch(message);
        if (Role == Role.Leader) LeadOn();
    }

    /// <summary>See <see cref="TryPropose"/>; true when it was accepted.</summary>
    public bool Propose(LogEntry entry, long nowMs, bool awaitedElsewhere = true) =>
        TryPropose(entry, nowMs, awaitedElsewhere) == ProposeResult.Accepted;

    /// <summary>
    /// Leader only: appends an entry, whose term and index must be <see cref="Term"/> and the one after <see cref="LastIndex"/>,
    /// hands it out to be written and sends it. Entries of consensus itself are not subject to the byte limit.
    /// </summary>
    /// <param name="awaitedElsewhere">
    /// Another node answers somebody when this is committed: it is told at once, not within <see cref="RaftOptions.CommitNoticeMs"/>.
    /// </param>
    public ProposeResult TryPropose(LogEntry entry, long nowMs, bool awaitedElsewhere = true)
    {
        AdvanceTo(nowMs);
        if (Role != Role.Leader) return ProposeResult.NotLeader;
        if (_transfer.IsRunning) return ProposeResult.Transferring;
        Invariant.That(entry.Term == Term && entry.Index == LastIndex.Next, "a proposal stands at the end of the leader's log");
        Invariant.That(entry.Header.Shard == _state.Options.Shard, "a proposal belongs to the shard");
        if (entry.Membership is { } record)
        {
            if (!record.Equals(_changes.Wanted)) return ProposeResult.NotWanted;
            _changes.Proposed();
        }
        else if (LastIndex.Value == 0)
        {
            return ProposeResult.NotWanted;
        }
        else if (_replication.TermStarted && _replication.BacklogBytes >= _state.Options.MaxUncommittedBytes)
        {
            return ProposeResult.Full;
        }

        _replication.Propose(entry, awaitedElsewhere);
        LeadOn();
        return ProposeResult.Accepted;
    }

    /// <summary>
    /// The own log is durable through the entry at <paramref name="index"/>, which has <paramref name="term"/>. Reports come in
    /// the order of the writes; one about entries that were superseded since is ignored.
    /// </summary>
    public void Persisted(LogIndex index, Term term, long nowMs)
    {
        AdvanceTo(nowMs);
        if (_elections.ForgotPromises || !_state.Log.Persisted(index, term)) return;
        if (Role == Role.Leader)
        {
            _replication.CommitWhatMatches();
            LeadOn();
        }
        else
        {
            _following.Persisted();
        }
    }

    /// <summary>A hard state that <see cref="Effects.HardStateToSave"/> asked for is durable.</summary>
    public void HardStatePersisted(HardState state, long nowMs)
    {
        AdvanceTo(nowMs);
        if (!_state.HardStatePersisted(state)) return;
        _messages.ReleaseHeld();
        _elections.HardStatePersisted();
    }

    /// <summary>Committed entries up to here are applied.</summary>
    public void Applied(LogIndex index, long nowMs)
    {
        AdvanceTo(nowMs);
        Invariant.That(index <= CommitIndex, "only what is committed is applied");
        _applied = LogIndex.Max(_applied, index);
    }

    /// <summary>
    /// An own durable checkpoint covers the log up to here; entries at or before it may be released from now on.
    /// </summary>
    public void Compacted(LogIndex upTo, Term term, MembershipRecord membership)
    {
        if (upTo <= _state.Log.CheckpointIndex) return;
        Invariant.That(upTo <= CommitIndex, "only what is committed is in a checkpoint");
        Invariant.That(_state.Log.TermAt(upTo) is not { } held || held == term, "a checkpoint stands in the own log");
        _state.Log.Compact(upTo, term);
        _state.Membership.Compact(upTo, membership);
    }

    /// <summary>
    /// A received checkpoint is durable here: the log goes on behind it, or with its tail when that matches. Ignored when everything
    /// it covers is already committed here.
    /// </summary>
    public void InstallCheckpoint(LogIndex index, Term term, MembershipRecord membership, long nowMs)
    {
        AdvanceTo(nowMs);
        if (index <= CommitIndex || _elections.ForgotPromises) return;
        // Somebody committed more than this node knows of: whatever it hoped to lead is over.
        if (Role != Role.Follower) BecomeFollower(NodeId.None);
        if (term > Term) StartTerm(term, NodeId.None);
        bool keepsTail = _state.Log.Install(index, term);
        if (keepsTail) _state.Membership.Compact(index, membership);
        else _state.Membership.Reset(index, membership);
        if (!keepsTail)
        {
            Effects.EntriesToWrite.Clear();
            Effects.LogRestart = (index, term);
        }

        Effects.MembershipChanged = true;
        _state.Commit(index);
        if (Effects.Checkpoint is { } asked && asked.Index <= index) Effects.Checkpoint = null;
        _following.CheckpointInstalled(index);
    }

    /// <summary>
    /// Asks whether a read may be served (ReadIndex); answered once by <see cref="Effects.Reads"/> with the same context.
    /// </summary>
    public void RequestRead(ulong context, long nowMs)
    {
        AdvanceTo(nowMs);
        bool ready = LeaderReady;
#if PLANTED_BUGS
        ready |= PlantedBugs.Has(PlantedBug.ReadBeforeOwnTermEntry) && Role == Role.Leader;
#endif
        if (!ready) _reads.Refuse(context);
        else if (_reads.Add(context)) _replication.SendRound();
    }

    /// <summary>
    /// Hands leadership to a voter, or with none to the best caught-up one. False when not leader or nobody can take over. Ends
    /// by a new leader or after an election timeout.
    /// </summary>
    public bool TransferLeadership(NodeId to, long nowMs)
    {
        AdvanceTo(nowMs);
        return Role == Role.Leader && _transfer.Begin(to);
    }

    public void ConnectionOpened(NodeId peer, long nowMs)
    {
        AdvanceTo(nowMs);
        _elections.PeerOpened(peer);
        if (Role == Role.Leader) _replication.PeerOpened(peer);
    }

    /// <summary>
    /// Of the leader: ends stickiness to it here and lets this node campaign within 30 ms (DESIGN, quick failover).
    /// </summary>
    public void ConnectionClosed(NodeId peer, long nowMs)
    {
        AdvanceTo(nowMs);
        if (!_elections.ForgotPromises) _elections.PeerClosed(peer);
    }

    /// <summary>
    /// A first start: every configured member has answered as blank. <paramref name="initial"/> is in effect until the first entry,
    /// which records it, is held. Ignored when the log is not empty or a membership is known.
    /// </summary>
    public void Bootstrap(MembershipRecord initial, long nowMs)
    {
        AdvanceTo(nowMs);
        if (LastIndex.Value > 0 || Membership is not null) return;
        Invariant.That(!initial.IsJoint, "a first membership is simple");
        _state.Membership.SetProvisional(initial);
        Effects.MembershipChanged = true;
        _elections.CampaignSoon(NodeId.None);
    }

    /// <summary>
    /// The peer lives now under another, blank incarnation. A leader swaps it in by itself; the caller repeats this to each new
    /// leader.
    /// </summary>
    public void PeerIncarnation(NodeId peer, Incarnation seen, MemberInfo info, long nowMs)
    {
        AdvanceTo(nowMs);
        if (Role != Role.Leader) return;
        _changes.Swap(info with { Id = peer, Incarnation = seen });
    }

    /// <summary>Asks the leader for one membership change; the steps appear in <see cref="WantsMembership"/>.</summary>
    public MembershipChangeResult ProposeMembershipChange(MembershipChange change, long nowMs)
    {
        AdvanceTo(nowMs);
        return _transfer.IsRunning ? MembershipChangeResult.NotReady : _changes.Request(change);
    }

    /// <summary>
    /// This node should not lead (hung disk, diverged state, no space): a leader tells the best successor to campaign and follows;
    /// any node stays out of elections for an election timeout. <paramref name="reason"/> is kept for display.
    /// </summary>
    public void StepDown(string reason, long nowMs)
    {
        AdvanceTo(nowMs);
        LastStepDownReason = reason;
        if (Role == Role.Leader) HandOver();
        else if (Role != Role.Follower) BecomeFollower(NodeId.None);
        _elections.StayQuiet();
    }

    /// <summary>
    /// Leader: another voter was heard lately whose disk stores what it gets. Otherwise stepping down because the own disk does not would
    /// only interrupt.
    /// </summary>
    public bool AnotherStores(long nowMs)
    {
        AdvanceTo(nowMs);
        return _replication.AnotherStores();
    }

    /// <summary>
    /// Leader whose own apply hangs: an election may bring one whose apply does not, because a voter that could lead said so lately, or
    /// because one has said nothing for long. Otherwise stepping down would only interrupt: who hangs does not campaign.
    /// </summary>
    public bool AnotherApplies(long nowMs)
    {
        AdvanceTo(nowMs);
        return _replication.AnotherApplies();
    }

    /// <summary>Why this node last stepped down by itself or was told to; null when it never did.</summary>
    public string? LastStepDownReason { get; private set; }

    /// <summary>The followers and learners as this leader sees them; empty on others. A copy.</summary>
    public IReadOnlyList<PeerProgress> DescribePeers() =>
    [
        .. _replication.Peers.Select(peer => new PeerProgress(
            peer.Id, peer.Incarnation, peer.Match, peer.Next, peer.State, peer.LastHeardMs,
            Membership?.IsVoter(peer.Id) == false, peer.InflightBytes, peer.LogHangs || peer.IsUnfit)),
    ];

    /// <summary>Enters a higher term; everything about the old one is void.</summary>
    internal void StartTerm(Term term, NodeId vote)
    {
        _messages.DropHeld();
        _state.StartTerm(term, vote);
        _following.TermStarted();
    }

    internal void BecomeLeader()
    {
        Invariant.That(Role == Role.Candidate && _state.Vote == _state.Self, "a leader was a candidate");
        _state.SetRole(Role.Leader, _state.Self);
        _changes.Begin();
        _transfer.End();
        _replication.Begin();
    }

    private void BecomeFollower(NodeId leader)
    {
        bool led = Role == Role.Leader;
        _state.SetRole(Role.Follower, leader);
        if (!led) return;
        _transfer.End();
        _replication.End();
        _elections.RoundEnded();
    }

    private void HandOver()
    {
        NodeId successor = _transfer.BestSuccessor();
        if (!successor.IsNone) _messages.TimeoutNow(successor);
        BecomeFollower(NodeId.None);
    }

    /// <summary>After whatever may have moved the leader's commit index or a follower's match.</summary>
    private void LeadOn()
    {
        if (Role != Role.Leader) return;
        _transfer.Advance();
        bool settled = _state.Membership.CurrentIndex <= CommitIndex && !Membership!.IsJoint;
        if (settled && LastIndex.Value > 0 && !_state.IsVoter)
        {
            // Raft thesis 4.2.2: a removed leader leads until its removal is committed.
            LastStepDownReason = "no longer a voter";
            HandOver();
        }
    }

    private void AdvanceTo(long nowMs)
    {
        long gap = nowMs - _state.NowMs;
        if (gap <= 0) return;
        _state.NowMs = nowMs;
        if (Role == Role.Leader && gap > _state.Options.ElectionTimeoutMs) _replication.StartOver();
    }

    private bool IsForUs(Message message)
    {
        if (_elections.ForgotPromises) return false;
        if (message.To != _state.Self || message.From == _state.Self || message.From.IsNone) return false;
        if (message.Shard != _state.Options.Shard || message.Term.Value < 0) return false;
        bool counted = message.Kind is MessageKind.PreVoteReply or MessageKind.VoteReply
            or MessageKind.AppendReply or MessageKind.HeartbeatReply;
#if PLANTED_BUGS
        if (PlantedBugs.Has(PlantedBug.WipedNodeVotes)) return true;
#endif
        if (!counted || message.FromIncarnation.IsNone) return true;

        // Only what is counted is checked: a node that is behind may not know the present leader's incarnation yet.
        return Membership?.Find(message.From) is not { } member || member.Incarnation == message.FromIncarnation;
    }

    /// <summary>
    /// The sender is behind. A leader must learn of the higher term, or a node that once raised its own would never be fed again:
    /// its pre-votes fail and the leader's messages are too old for it.
    /// </summary>
    private void AnswerEarlierTerm(Message message)
    {
#if PLANTED_BUGS
        if (PlantedBugs.Has(PlantedBug.HigherTermNotTold)) return;
#endif
        switch (message.Kind)
        {
            case MessageKind.PreVote:
                _messages.VoteReply(MessageKind.PreVoteReply, message.From, Term, reject: true);
                break;
            case MessageKind.Vote:
                _messages.VoteReply(MessageKind.VoteReply, message.From, Term, reject: true);
                break;
            case MessageKind.Append:
            case MessageKind.Heartbeat:
            case MessageKind.CheckpointOffer:
                _messages.AppendRejection(message.From, message.Index, LogIndex.Zero, Term.Zero, 0);
                break;
        }
    }

    private void Dispatch(Message message)
    {
        switch (message.Kind)
        {
            case MessageKind.PreVote:
                _elections.HandlePreVote(message);
                break;
            case MessageKind.PreVoteReply:
                _elections.HandlePreVoteReply(message);
                break;
            case MessageKind.Vote:
                _elections.HandleVote(message);
                break;
            case MessageKind.VoteReply:
                _elections.HandleVoteReply(message);
                break;
            case MessageKind.AppendReply:
                if (_replication.PeerOf(message.From) is { } follower) _replication.HandleAppendReply(follower, message);
                break;
            case MessageKind.HeartbeatReply:
                if (_replication.PeerOf(message.From) is { } peer) _replication.HandleHeartbeatReply(peer, message);
                break;
            case MessageKind.Append:
            case MessageKind.Heartbeat:
            case MessageKind.CheckpointOffer:
                Follow(message);
                break;
            case MessageKind.TimeoutNow:
                if (Leader == message.From) _elections.HandleTimeoutNow();
                break;
        }
    }

    private void Follow(Message message)
    {
        Invariant.That(Role != Role.Leader, "a term has one leader");
        BecomeFollower(message.From);
        _elections.LeaderHeard();
        switch (message.Kind)
        {
            case MessageKind.Append:
                _following.HandleAppend(message);
                break;
            case MessageKind.Heartbeat:
                _following.HandleHeartbeat(message);
                break;
            default:
                _following.HandleCheckpointOffer(message);
                break;
        }
    }

    private void FindMemberships(IStoredLog stored)
    {
        const long SliceBytes = 1024 * 1024;
        var slice = new List<LogEntry>();
        LogIndex at = _state.Log.CheckpointIndex.Next;
        while (at <= _state.Log.LastIndex)
        {
            slice.Clear();
            int count = stored.Read(at, _state.Log.LastIndex, SliceBytes, slice);
            Invariant.That(count > 0, "entries behind the checkpoint can be read at the start");
            foreach (LogEntry entry in slice)
            {
                if (entry.Membership is { } record) _state.Membership.Append(entry.Index, record);
            }

            at += count;
        }
    }
}
