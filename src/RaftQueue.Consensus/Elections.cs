using RaftQueue.Primitives;

namespace RaftQueue.Consensus;

/// <summary>
/// Who may lead: timeouts, pre-vote (Raft thesis 9.6), votes, leader stickiness (4.2.3), quick failover after a closed connection.
/// </summary>
internal sealed class Elections
{
    /// <summary>Ranks of the quick campaign spread over this time.</summary>
    private const int QuickCampaignMs = 30;

    /// <summary>A lost round is repeated after this and up to <see cref="RetrySpreadMs"/> more.</summary>
    private const int RetryMinMs = 10;

    private const int RetrySpreadMs = 40;

    /// <summary>After so many lost rounds in a row the node waits full election timeouts again.</summary>
    private const int QuickRetries = 10;

    private const long Never = long.MinValue / 2;

    private readonly NodeState _state;
    private readonly Messages _messages;
    private readonly RaftNode _node;
    private readonly Func<NodeId, long> _voteOf;
    private readonly Dictionary<NodeId, bool> _votes = [];
    private readonly HashSet<NodeId> _closed = [];
    private readonly bool _forgotPromises;
    private (Term Term, LogIndex Index)? _voteFloor;
    private long _leaderHeardMs = Never;
    private long _quietUntilMs = Never;
    private int _lostRounds;

    public Elections(NodeState state, Messages messages, RaftNode node, RaftStart start)
    {
        _state = state;
        _messages = messages;
        _node = node;
        _voteOf = VoteOf;
        _forgotPromises = start.HardState is null;
        _voteFloor = Higher(start.VoteFloor, state.Log.LostTail);
        SetDeadline(AloneInMembership() ? 0 : RandomTimeout());
    }

    /// <summary>When the node campaigns unless it hears from a leader; meaningless while it leads.</summary>
    public long DeadlineMs { get; private set; }

    /// <summary>
    /// The node holds a membership that names its incarnation, remembers what it promised, and its log is not damaged below what
    /// it once held.
    /// </summary>
    public bool CanVote
    {
        get
        {
            if (_forgotPromises || LacksLog) return false;
#if PLANTED_BUGS
            if (PlantedBugs.Has(PlantedBug.WipedNodeVotes)) return true;
#endif
            return _state.Members?.Names(_state.Self, _state.Options.SelfIncarnation) == true;
        }
    }

    /// <summary>The log does not end yet where it ended before something of it was lost.</summary>
    public bool LacksLog
    {
        get
        {
            if (_voteFloor is not { } floor) return false;
#if PLANTED_BUGS
            if (PlantedBugs.Has(PlantedBug.VoteFloorForgotten)) return false;
#endif
            if (LogView.Compare(_state.Log.LastTerm, _state.Log.LastIndex, floor.Term, floor.Index) < 0) return true;
            _voteFloor = null;
            return false;
        }
    }

    /// <summary>Both copies of the hard state were damaged: this incarnation takes no part.</summary>
    public bool ForgotPromises => _forgotPromises;

    /// <summary>
    /// A leader was heard within an election timeout (or is this node): others' candidates are not listened to.
    /// </summary>
    private bool IsSticky =>
        _state.Role == Role.Leader
        || (!_state.Leader.IsNone && _state.NowMs - _leaderHeardMs < _state.Options.ElectionTimeoutMs);

    private bool MayCampaign => CanVote && _state.IsVoter && !_state.LogHangs && !_state.ApplyHangs;

    public void Tick()
    {
        if (_state.Role == Role.Leader || _state.NowMs < DeadlineMs) return;
        if (MayCampaign && _state.NowMs >= _quietUntilMs) AskWhetherToCampaign();
        else FollowNobody();
    }

    /// <summary>The leader of the present term spoke.</summary>
    public void LeaderHeard()
    {
        _leaderHeardMs = _state.NowMs;
        _lostRounds = 0;
        _votes.Clear();
        SetDeadline(RandomTimeout());
    }

    /// <summary>The node follows again; its votes in the running round count for nothing.</summary>
    public void RoundEnded()
    {
        _votes.Clear();
        SetDeadline(RandomTimeout());
    }

    /// <summary>The node neither campaigns for an election timeout nor answers a transfer.</summary>
    public void StayQuiet()
    {
        _quietUntilMs = _state.NowMs + _state.Options.ElectionTimeoutMs;
        DeadlineMs = Math.Max(DeadlineMs, _quietUntilMs);
    }

    public void PeerOpened(NodeId peer) => _closed.Remove(peer);

    public void PeerClosed(NodeId peer)
    {
        _closed.Add(peer);
        if (_state.Role == Role.Leader) return;
        if (_state.Leader == peer)
        {
            _leaderHeardMs = Never;
            _lostRounds = 0;
            _state.SetRole(_state.Role, NodeId.None);
            CampaignSoon(peer);
        }

        CountVotes();
    }

    /// <summary>
    /// Campaigns after 0 to 30 ms, spread by this node's rank among the voters other than <paramref name="except"/>.
    /// </summary>
    public void CampaignSoon(NodeId except)
    {
        if (!MayCampaign) return;
        int rank = 0;
        int others = 0;
        foreach (MemberInfo voter in _state.Members!.Voters)
        {
            if (voter.Id == except) continue;
            others++;
            if (voter.Id < _state.Self) rank++;
        }

        DeadlineMs = Math.Min(DeadlineMs, Math.Max(_quietUntilMs, _state.NowMs + (QuickCampaignMs * rank / Math.Max(1, others))));
    }

    public void HandlePreVote(Message message)
    {
        bool grant = message.Term > _state.Term && CanVote && !_state.LogHangs && !IsSticky
            && _state.Log.IsUpToDate(message.LogTerm, message.Index);
#if PLANTED_BUGS
        if (PlantedBugs.Has(PlantedBug.TimerResetWithoutVote)) SetDeadline(RandomTimeout());
#endif
        Term term = grant ? message.Term : _state.Term;
        _messages.VoteReply(MessageKind.PreVoteReply, message.From, term, !grant);
    }

    public void HandlePreVoteReply(Message message)
    {
        if (_state.Role != Role.PreCandidate) return;
        if (!message.Reject && message.Term != _state.Term.Next) return;
        _votes[message.From] = !message.Reject;
        CountVotes();
    }

    /// <summary>False when stickiness says that the candidate is not to be heard, not even its term.</summary>
    public bool Hears(Message vote)
    {
#if PLANTED_BUGS
        if (PlantedBugs.Has(PlantedBug.NoPreVote)) return true;
#endif
        return vote.Force || !IsSticky;
    }

    /// <summary>A vote request in the present term.</summary>
    public void HandleVote(Message message)
    {
        bool again = _state.Vote == message.From;
        bool free = _state.Vote.IsNone && _state.Leader.IsNone;
#if PLANTED_BUGS
        if (PlantedBugs.Has(PlantedBug.VoteClearedOnStepDown)) free = _state.Vote.IsNone;
#endif
        bool grant = (again || free) && CanVote && _state.Log.IsUpToDate(message.LogTerm, message.Index);
        if (grant && !again)
        {
            _state.SetRole(Role.Follower, NodeId.None);
            _state.CastVote(message.From);
            RoundEnded();
        }

#if PLANTED_BUGS
        if (PlantedBugs.Has(PlantedBug.TimerResetWithoutVote)) SetDeadline(RandomTimeout());
#endif
        _messages.VoteReply(MessageKind.VoteReply, message.From, _state.Term, !grant);
    }

    public void HandleVoteReply(Message message)
    {
        if (_state.Role != Role.Candidate) return;
        _votes[message.From] = !message.Reject;
        CountVotes();
    }

    /// <summary>The leader hands over: campaign at once, in a way that stickiness does not stop (Raft thesis 3.10).</summary>
    public void HandleTimeoutNow()
    {
        if (MayCampaign && _state.NowMs >= _quietUntilMs) Campaign(force: true);
    }

    /// <summary>The own vote counts once it is durable.</summary>
    public void HardStatePersisted()
    {
        if (_state.Role != Role.Candidate || _state.Durable != new HardState(_state.Term, _state.Self)) return;
        _votes[_state.Self] = true;
        CountVotes();
    }

    private void FollowNobody()
    {
        _state.SetRole(Role.Follower, NodeId.None);
        RoundEnded();
    }

    private void AskWhetherToCampaign()
    {
#if PLANTED_BUGS
        if (PlantedBugs.Has(PlantedBug.NoPreVote))
        {
            Campaign(force: false);
            return;
        }
#endif
        _state.SetRole(Role.PreCandidate, NodeId.None);
        _votes.Clear();
        _votes[_state.Self] = true;
        SetDeadline(RandomTimeout());
        foreach (NodeId voter in OtherVoters()) _messages.PreVote(voter);
        CountVotes();
    }

    private void Campaign(bool force)
    {
        _node.StartTerm(_state.Term.Next, _state.Self);
        _state.SetRole(Role.Candidate, NodeId.None);
        _votes.Clear();
        SetDeadline(RandomTimeout());
        foreach (NodeId voter in OtherVoters()) _messages.Vote(voter, force);
    }

    private void CountVotes()
    {
        if (_state.Role is not (Role.PreCandidate or Role.Candidate)) return;
        if (!MayCampaign)
        {
            LoseRound();
            return;
        }

        switch (Quorum.Tally(_state.Members!, _voteOf))
        {
            case VoteTally.Won when _state.Role == Role.PreCandidate:
                Campaign(force: false);
                break;
            case VoteTally.Won:
                _lostRounds = 0;
                _votes.Clear();
                _node.BecomeLeader();
                break;
            case VoteTally.Lost:
                LoseRound();
                break;
        }
    }

    private void LoseRound()
    {
        _state.SetRole(Role.Follower, NodeId.None);
        _votes.Clear();
        _lostRounds++;
#if PLANTED_BUGS
        if (PlantedBugs.Has(PlantedBug.TimerResetWithoutVote)) _lostRounds = 1;
#endif
        SetDeadline(_lostRounds <= QuickRetries ? RetryMinMs + _state.Random.NextBelow(RetrySpreadMs + 1) : RandomTimeout());
    }

    /// <summary>A peer without a connection will not answer: its open vote counts as refused.</summary>
    private long VoteOf(NodeId voter)
    {
        if (_votes.TryGetValue(voter, out bool granted)) return granted ? 1 : -1;
        return _closed.Contains(voter) ? -1 : 0;
    }

    private List<NodeId> OtherVoters()
    {
        var voters = new List<NodeId>();
        MembershipRecord members = _state.Members!;
        foreach (MemberInfo member in members.Voters.Concat(members.Outgoing))
        {
            if (member.Id != _state.Self && members.IsVoter(member.Id) && !voters.Contains(member.Id)) voters.Add(member.Id);
        }

        return voters;
    }

    private bool AloneInMembership() => _state.IsVoter && OtherVoters().Count == 0;

    private long RandomTimeout() => _state.Options.ElectionTimeoutMs + _state.Random.NextBelow(_state.Options.ElectionTimeoutMs);

    private void SetDeadline(long fromNow) => DeadlineMs = Math.Max(_state.NowMs + fromNow, _quietUntilMs);

    private static (Term Term, LogIndex Index)? Higher((Term Term, LogIndex Index)? left, (Term Term, LogIndex Index)? right)
    {
        if (left is not { } a) return right;
        if (right is not { } b) return left;
        return LogView.Compare(a.Term, a.Index, b.Term, b.Index) >= 0 ? a : b;
    }
}
