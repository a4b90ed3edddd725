using RaftQueue.Primitives;

namespace RaftQueue.Consensus;

/// <summary>
/// The leader's half of replication: feeds each follower within its window, counts what is durable where, commits
/// (Raft thesis 3.5, 3.6.2; pipelining 10.2.1), beats and checks that a quorum still answers (6.2).
/// </summary>
internal sealed class Replication
{
    /// <summary>For so many election timeouts a leader whose apply hangs waits for news of voters of whom it hears nothing.</summary>
    private const int SilenceTimeouts = 10;

    /// <summary>An apply loop moves that has stood still for at most this part of an election timeout.</summary>
    private const int MovingPart = 4;

    private readonly NodeState _state;
    private readonly Messages _messages;
    private readonly Reads _reads;
    private readonly List<Progress> _peers = [];
    private readonly Queue<(LogIndex Index, int Bytes)> _uncommitted = new();
    private readonly Func<NodeId, long> _matchOf;
    private readonly Func<NodeId, long> _roundOf;
    private readonly Func<NodeId, long> _activeOf;
    private readonly Func<NodeId, long> _storesOf;
    private ulong _countedFromRound;
    private long _uncommittedBytes;
    private LogIndex _termStart;
    private LogIndex _awaitedElsewhere;

    public Replication(NodeState state, Messages messages, Reads reads)
    {
        _state = state;
        _messages = messages;
        _reads = reads;
        _matchOf = MatchOf;
        _roundOf = RoundOf;
        _activeOf = ActiveOf;
        _storesOf = StoresOf;
    }

    /// <summary>Followers and learners in order of their ids; empty unless this node leads.</summary>
    public IReadOnlyList<Progress> Peers => _peers;

    /// <summary>An entry of the own term is committed.</summary>
    public bool Ready => _state.Role == Role.Leader && _termStart.Value > 0 && _state.CommitIndex >= _termStart;

    /// <summary>Something of the own term has been proposed.</summary>
    public bool TermStarted => _termStart.Value > 0;

    public long HeartbeatDueMs { get; private set; }

    public long QuorumCheckMs { get; private set; }

    /// <summary>When those who have not heard what is committed are told.</summary>
    public long NoticeDueMs { get; private set; } = long.MaxValue;

    /// <summary>Bytes of entries that are not committed (of this leadership) or not durable here, whichever is more.</summary>
    public long BacklogBytes => Math.Max(_uncommittedBytes, _state.Log.UnstableBytes);

    public void Begin()
    {
        End();
        SyncPeers();
        QuorumCheckMs = _state.NowMs + _state.Options.ElectionTimeoutMs;
        Beat();
        foreach (Progress peer in _peers) SendEntries(peer);
    }

    public void End()
    {
        _peers.Clear();
        _uncommitted.Clear();
        _uncommittedBytes = 0;
        _countedFromRound = 0;
        _termStart = LogIndex.Zero;
        _awaitedElsewhere = LogIndex.Zero;
        NoticeDueMs = long.MaxValue;
        _reads.Reset();
    }

    /// <summary>The membership in effect changed: exactly its other members are fed and counted.</summary>
    public void SyncPeers()
    {
        MembershipRecord members = _state.Members!;
        _peers.RemoveAll(peer => members.Find(peer.Id)?.Incarnation != peer.Incarnation);
        foreach (MemberInfo member in members.Voters.Concat(members.Learners).Concat(members.Outgoing))
        {
            if (member.Id == _state.Self || PeerOf(member.Id) is not null || members.Find(member.Id) != member) continue;
            var added = new Progress(member, _state.Log.LastIndex.Next) { Active = true };
            int at = _peers.FindIndex(peer => peer.Id > member.Id);
            _peers.Insert(at < 0 ? _peers.Count : at, added);
        }
    }

    public Progress? PeerOf(NodeId id)
    {
        foreach (Progress peer in _peers)
        {
            if (peer.Id == id) return peer;
        }

        return null;
    }

    /// <summary>The leader's own entry: to its log and to everybody whose window has room.</summary>
    public void Propose(LogEntry entry, bool awaitedElsewhere)
    {
        if (awaitedElsewhere) _awaitedElsewhere = entry.Index;
        _state.Append(entry);
        if (_termStart.Value == 0) _termStart = entry.Index;
        _uncommitted.Enqueue((entry.Index, entry.SizeBytes));
        _uncommittedBytes += entry.SizeBytes;
        if (entry.Membership is not null) MembershipAppended();
        foreach (Progress peer in _peers) SendEntries(peer);
        if (NoticeDueMs != long.MaxValue && AllKnowTheCommit()) NoticeDueMs = long.MaxValue;
    }

    public void HandleAppendReply(Progress peer, Message message)
    {
        Heard(peer, message.Context);
        if (message.Reject)
        {
            LogIndex possible = _state.Log.LastPossibleMatch(message.HintIndex, message.HintTerm, LogIndex.Zero);
            if (peer.Refuse(message.Index, possible)) SendEntries(peer);
            return;
        }

        Invariant.That(message.Index <= _state.Log.LastIndex, "nobody matches more than the leader's log holds");
        peer.Acknowledge(message.Index, _state.Log.FirstIndex, _state.NowMs);
        CommitWhatMatches();
        SendEntries(peer);
    }

    public void HandleHeartbeatReply(Progress peer, Message message)
    {
        peer.LogHangs = message.Reject;
        peer.IsUnfit = message.Unfit;
        // Neither what came late, nor what waited in this node's sockets while it got no time, is news. Of whoever does not say how long it
        // is not known why it is unfit.
        if (message.Context >= Math.Max(_countedFromRound, peer.Round))
            peer.TellsApply(message.ApplyStuckMs ?? (message.Unfit ? _state.Options.ElectionTimeoutMs : 0), _state.NowMs);
        Heard(peer, message.Context);
        switch (peer.State)
        {
            case ProgressState.Probe:
                if (peer.Stalled) peer.ProbeSent = false;
                peer.Stalled = false;
                SendEntries(peer);
                break;
            case ProgressState.Replicate:
                // Asking about the last entry that was sent finds out whether it is lost.
                if (peer.Stalled) SendAppend(peer, peer.Next.Previous, []);
                peer.Stalled = false;
                SendEntries(peer);
                break;
        }
    }

    /// <summary>
    /// Whether another voter's disk stores what it gets: it has everything, or stored something within half an election timeout. Where
    /// none does, as when all stand on one disk that hangs, none would lead better.
    /// </summary>
    public bool AnotherStores()
    {
        foreach (Progress peer in _peers)
        {
            if (IsLate(peer.LastHeardMs) || !_state.Members!.IsVoter(peer.Id)) continue;
            if (Stores(peer)) return true;
        }

        return false;
    }

    /// <summary>
    /// Whether a voter that could lead has said lately that its apply loop moves: it has what is committed, and its disk stores. Where all
    /// say that theirs stand still as well, as when all wait for one disk, none would campaign. A voter that says nothing is most often
    /// dead; but it may only be out of reach of this leader and have the others' votes, so after a while that is tried.
    /// </summary>
    public bool AnotherApplies()
    {
        bool someSilent = false;
        foreach (Progress peer in _peers)
        {
            if (!_state.Members!.IsVoter(peer.Id)) continue;
            if (IsLate(peer.ToldApplyMs))
            {
                someSilent = true;
                continue;
            }

            bool moves = peer.ApplyStuckMs <= _state.Options.ElectionTimeoutMs / MovingPart;
            if (moves && peer.Match >= _state.CommitIndex && Stores(peer)) return true;
        }

        return someSilent && _state.ApplyStuckMs > SilenceTimeouts * (long)_state.Options.ElectionTimeoutMs;
    }

    /// <summary>A new connection: whatever was on its way in the old one may be lost.</summary>
    public void PeerOpened(NodeId id)
    {
        if (PeerOf(id) is not { } peer) return;
        if (peer.State == ProgressState.Replicate) peer.BecomeProbe(peer.Match.Next);
        peer.ProbeSent = false;
        SendEntries(peer);
    }

    /// <summary>Sends due heartbeats. False when a quorum has not answered for an election timeout.</summary>
    public bool Tick()
    {
        if (_state.NowMs >= QuorumCheckMs)
        {
            if (Quorum.Reached(_state.Members!, _activeOf) == 0) return false;
            foreach (Progress peer in _peers) peer.Active = false;
            QuorumCheckMs = _state.NowMs + _state.Options.ElectionTimeoutMs;
        }

        if (_state.NowMs >= HeartbeatDueMs) Beat();
        if (_state.NowMs >= NoticeDueMs) TellCommit();
        return true;
    }

    /// <summary>
    /// This node got no time for longer than an election timeout: what it heard before, or finds waiting in its sockets now, proves
    /// nothing. Answers count from a new round on.
    /// </summary>
    public void StartOver()
    {
        foreach (Progress peer in _peers) peer.Active = false;
        QuorumCheckMs = _state.NowMs + _state.Options.ElectionTimeoutMs;
        _reads.StartOver();
        _countedFromRound = _reads.Round + 1;
        Beat();
    }

    /// <summary>A heartbeat round that reads wait for.</summary>
    public void SendRound()
    {
        ulong round = _reads.NextRound();
        foreach (Progress peer in _peers) SendHeartbeat(peer, round);
        ConfirmRounds();
    }

    /// <summary>Commits what a quorum holds durably, if it is of the own term.</summary>
    public void CommitWhatMatches()
    {
        var index = new LogIndex(Quorum.Reached(_state.Members!, _matchOf));
        bool ownTerm = _state.Log.TermAt(index) == _state.Term;
#if PLANTED_BUGS
        ownTerm |= PlantedBugs.Has(PlantedBug.OldTermCommittedByCounting);
#endif
        if (index <= _state.CommitIndex || !ownTerm) return;
        bool awaited = _state.CommitIndex < _awaitedElsewhere;
        _state.Commit(index);
#if PLANTED_BUGS
        if (PlantedBugs.Has(PlantedBug.MembershipAtCommit)) SyncPeers();
#endif
        while (_uncommitted.TryPeek(out (LogIndex Index, int Bytes) oldest) && oldest.Index <= index)
        {
            _uncommittedBytes -= oldest.Bytes;
            _uncommitted.Dequeue();
        }

        if (awaited) TellCommit();
        else NoticeDueMs = Math.Min(NoticeDueMs, _state.NowMs + _state.Options.CommitNoticeMs);
    }

    private void TellCommit()
    {
        NoticeDueMs = long.MaxValue;
        foreach (Progress peer in _peers)
        {
            if (peer.ToldCommit < _state.CommitIndex) SendHeartbeat(peer, 0);
        }
    }

    private bool AllKnowTheCommit()
    {
        foreach (Progress peer in _peers)
        {
            if (peer.ToldCommit < _state.CommitIndex) return false;
        }

        return true;
    }

    private void Beat()
    {
        HeartbeatDueMs = _state.NowMs + _state.Options.HeartbeatMs;
        SendRound();
        foreach (Progress peer in _peers)
        {
            peer.Beat();
            if (peer.State == ProgressState.Checkpoint) _messages.CheckpointOffer(peer.Id);
        }
    }

    /// <summary>
    /// Tells what is committed and how much of it is known to match there: a follower that restarted has forgotten the latter.
    /// </summary>
    private void SendHeartbeat(Progress peer, ulong round)
    {
        peer.ToldCommit = _state.CommitIndex;
        Term? term = _state.Log.TermAt(peer.Match);
        _messages.Heartbeat(peer.Id, round, term is null ? LogIndex.Zero : peer.Match, term ?? Term.Zero);
    }

    private void MembershipAppended()
    {
        SyncPeers();
        CommitWhatMatches();
        ConfirmRounds();
    }

    private void Heard(Progress peer, ulong round)
    {
#if PLANTED_BUGS
        if (PlantedBugs.Has(PlantedBug.LateReplyConfirmsRead)) round = _reads.Round;
#endif
        if (round < _countedFromRound) return;
        peer.Heard(round, _state.NowMs);
        ConfirmRounds();
    }

    private void ConfirmRounds()
    {
        ulong reached = (ulong)Quorum.Reached(_state.Members!, _roundOf);
        if (_reads.Confirm(Math.Min(reached, _reads.Round))) SendRound();
    }

    private void SendEntries(Progress peer)
    {
        while (true)
        {
            if (peer.State == ProgressState.Checkpoint) return;
            LogIndex previous = peer.Next.Previous;
            bool released = peer.Next < _state.Log.FirstIndex;
#if PLANTED_BUGS
            released &= !PlantedBugs.Has(PlantedBug.MissingTermReadAsZero);
#endif
            if (released || _state.Log.TermAt(previous) is null)
            {
                peer.BecomeCheckpoint();
                _messages.CheckpointOffer(peer.Id);
                return;
            }

            if (peer.State == ProgressState.Probe)
            {
                if (!peer.ProbeSent) SendAppend(peer, previous, ReadFor(peer));
                return;
            }

            if (peer.Next > _state.Log.LastIndex || peer.WindowFull(_state.Options)) return;
            List<LogEntry> entries = ReadFor(peer);
            if (entries.Count == 0) return;
            SendAppend(peer, previous, entries);
        }
    }

    /// <summary>A peer that has not been heard from is probed without entries: they would only fill dead connections.</summary>
    private List<LogEntry> ReadFor(Progress peer)
    {
        var entries = new List<LogEntry>();
        bool silent = peer.LastHeardMs < 0 || _state.NowMs - peer.LastHeardMs > _state.Options.ElectionTimeoutMs;
        if (peer.State == ProgressState.Probe && silent) return entries;
        long room = Math.Min(_state.Options.MaxAppendBytes, _state.Options.MaxInflightBytes - peer.InflightBytes);
        _state.Log.Read(peer.Next, _state.Log.LastIndex, room, entries);
        return entries;
    }

    private void SendAppend(Progress peer, LogIndex previous, List<LogEntry> entries)
    {
        Term? term = _state.Log.TermAt(previous);
        if (term is null) return;
        peer.ToldCommit = _state.CommitIndex;
        _messages.Append(peer.Id, previous, term.Value, entries, _reads.Round);
        if (entries.Count > 0 || peer.State == ProgressState.Probe)
        {
            long bytes = 0;
            foreach (LogEntry entry in entries) bytes += entry.SizeBytes;
            peer.Sent(previous + entries.Count, bytes);
        }
    }

    private bool IsLate(long ms) => ms < 0 || _state.NowMs - ms > _state.Options.ElectionTimeoutMs;

    private bool Stores(Progress peer)
    {
        if (peer.LogHangs) return false;
        if (peer.Match >= _state.Log.LastIndex) return true;
        return peer.StoredMs >= 0 && _state.NowMs - peer.StoredMs <= _state.Options.ElectionTimeoutMs / 2;
    }

    private long MatchOf(NodeId id)
    {
#if PLANTED_BUGS
        if (id == _state.Self && PlantedBugs.Has(PlantedBug.LeaderCountsUnsynced)) return _state.Log.LastIndex.Value;
#endif
        return id == _state.Self ? _state.Log.Durable.Value : PeerOf(id)?.Match.Value ?? 0;
    }

    private long RoundOf(NodeId id) => id == _state.Self ? long.MaxValue : (long)(PeerOf(id)?.Round ?? 0);

    private long ActiveOf(NodeId id) =>
        id == _state.Self || (PeerOf(id) is { Active: true } peer && !(peer.LogHangs && OthersMayDoBetter())) ? 1 : 0;

    /// <summary>
    /// Whether voters whose disks work may be a quorum that commits without this leader: then who only answers does not keep it in office.
    /// Of three voters such a quorum would be this leader with one that it does not reach, which is none. And where too many hang for
    /// any quorum nobody commits, while this leader still confirms reads.
    /// </summary>
    private bool OthersMayDoBetter() => _state.Members!.Voters.Count > 3 && Quorum.Reached(_state.Members!, _storesOf) == 1;

    private long StoresOf(NodeId id) => PeerOf(id)?.LogHangs == true ? 0 : 1;
}
