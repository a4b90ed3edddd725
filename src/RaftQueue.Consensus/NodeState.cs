using RaftQueue.Primitives;

namespace RaftQueue.Consensus;

/// <summary>What the parts of a node share: who it is, its term and role, its log and what it has asked of the world.</summary>
internal sealed class NodeState(RaftOptions options, LogView log, IRandomSource random)
{
    public RaftOptions Options { get; } = options;

    public LogView Log { get; } = log;

    public Membership Membership { get; } = new();

    public Effects Effects { get; } = new();

    public IRandomSource Random { get; } = random;

    public NodeId Self => Options.Self;

    public Term Term { get; private set; }

    public NodeId Vote { get; private set; }

    /// <summary>The newest hard state known to be durable.</summary>
    public HardState Durable { get; private set; }

    public Role Role { get; private set; }

    public NodeId Leader { get; private set; }

    public LogIndex CommitIndex { get; private set; }

    /// <summary>Monotonic; never falls.</summary>
    public long NowMs { get; set; }

    /// <summary>See <see cref="RaftNode.LogHangs"/>.</summary>
    public bool LogHangs { get; set; }

    /// <summary>See <see cref="RaftNode.ApplyStuckSinceMs"/>.</summary>
    public long? ApplyStuckSinceMs { get; set; }

    /// <summary>How long the apply loop has stood still in its work; 0 while it moves or rests.</summary>
    public long ApplyStuckMs => ApplyStuckSinceMs is { } since ? Math.Max(0, NowMs - since) : 0;

    /// <summary>See <see cref="RaftNode.ApplyHangs"/>.</summary>
    public bool ApplyHangs => ApplyStuckMs > Options.ElectionTimeoutMs;

    /// <summary>See <see cref="RaftNode.IsUnfit"/>.</summary>
    public bool IsUnfit { get; set; }

    public MembershipRecord? Members => Membership.Current;

    /// <summary>This incarnation of this node is counted in agreements.</summary>
    public bool IsVoter =>
        Members is { } members && members.Names(Self, Options.SelfIncarnation) && members.IsVoter(Self);

    public void Restore(HardState durable, Term term, LogIndex commit)
    {
        Durable = durable;
        Term = durable.Term;
        Vote = durable.Vote;
        if (term > Term) StartTerm(term, NodeId.None);
        CommitIndex = commit;
        Effects.CommitIndex = commit;
    }

    /// <summary>Enters a higher term, having voted for <paramref name="vote"/> or nobody in it.</summary>
    public void StartTerm(Term term, NodeId vote)
    {
        Invariant.That(term > Term, "a term never falls and is entered once");
        Term = term;
        Vote = vote;
        Leader = NodeId.None;
        Effects.HardStateToSave = new HardState(Term, Vote);
        Effects.RoleChanged = true;
    }

    public void CastVote(NodeId candidate)
    {
        Invariant.That(Vote.IsNone || Vote == candidate, "a node votes once a term");
        if (Vote == candidate) return;
        Vote = candidate;
        Effects.HardStateToSave = new HardState(Term, Vote);
    }

    /// <summary>False when a newer state was already known to be durable.</summary>
    public bool HardStatePersisted(HardState state)
    {
#if PLANTED_BUGS
        // One vote a term is what this defence relies on.
        if (PlantedBugs.Has(PlantedBug.VoteClearedOnStepDown) && state.Term == Durable.Term) Durable = default;
#endif
        if (state.Term < Durable.Term || (state.Term == Durable.Term && !Durable.Vote.IsNone)) return false;
        Invariant.That(state.Term <= Term, "only what was decided becomes durable");
        Durable = state;
        return true;
    }

    public void SetRole(Role role, NodeId leader)
    {
        if (Role == role && Leader == leader) return;
#if PLANTED_BUGS
        if (role == Role.Follower && PlantedBugs.Has(PlantedBug.VoteClearedOnStepDown)) Vote = NodeId.None;
#endif
        Role = role;
        Leader = leader;
        Effects.RoleChanged = true;
    }

    public void Commit(LogIndex index)
    {
        Invariant.That(index <= Log.LastIndex, "what is committed is held");
        if (index <= CommitIndex) return;
        CommitIndex = index;
#if PLANTED_BUGS
        TakeCommittedMemberships();
#endif
        Effects.CommitIndex = index;
        Effects.CommitAdvanced = true;
    }

    /// <summary>Appends to the log and asks for it to be written; an overwrite never reaches what is committed.</summary>
    public void Append(LogEntry entry)
    {
        Invariant.That(entry.Index > CommitIndex, "a committed entry is never overwritten");
        if (entry.Index <= Log.LastIndex && Membership.Truncate(entry.Index)) Effects.MembershipChanged = true;
        Log.Append(entry);
        Effects.Write(entry);
#if PLANTED_BUGS
        if (DelaysMembership(entry)) return;
#endif
        if (entry.Membership is { } record)
        {
            Membership.Append(entry.Index, record);
            Effects.MembershipChanged = true;
        }
    }
#if PLANTED_BUGS

    private readonly List<LogEntry> _memberships = [];

    /// <summary>A membership is in the log that is not in effect yet.</summary>
    public bool MembershipWaits => _memberships.Count > 0;

    private bool DelaysMembership(LogEntry entry)
    {
        if (!PlantedBugs.Has(PlantedBug.MembershipAtCommit)) return false;
        _memberships.RemoveAll(waiting => waiting.Index >= entry.Index);
        if (entry.Membership is not null) _memberships.Add(entry);
        return true;
    }

    private void TakeCommittedMemberships()
    {
        foreach (LogEntry entry in _memberships.Where(entry => entry.Index <= CommitIndex))
        {
            Membership.Append(entry.Index, entry.Membership!);
            Effects.MembershipChanged = true;
        }

        _memberships.RemoveAll(entry => entry.Index <= CommitIndex);
    }
#endif
}
