using RaftQueue.Primitives;

namespace RaftQueue.Consensus.Tests.Support;

/// <summary>
/// What must hold at every moment (Raft thesis, figure 3.2), judged from outside the cores: one leader a term, log matching,
/// leader completeness, committed entries never change, a vote a term and incarnation, nothing promised before it is durable.
/// </summary>
internal sealed class SafetyChecks(ISimWorld cluster)
{
    private readonly Dictionary<Term, Incarnation> _leaders = [];
    private readonly Dictionary<(Incarnation, Term), NodeId> _votes = [];
    private readonly Dictionary<(LogIndex, Term), (LogEntry Entry, Term Before)> _entries = [];
    private readonly List<LogEntry> _committed = [];

    public LogIndex HighestCommitted => new(_committed.Count);

    public int Leaderships => _leaders.Count;

    public int ReadsGranted { get; private set; }

    public LogEntry Committed(LogIndex index) => _committed[(int)index.Value - 1];

    public MembershipRecord? MembershipAt(LogIndex index)
    {
        for (int i = (int)index.Value - 1; i >= 0; i--)
        {
            if (_committed[i].Membership is { } record) return record;
        }

        return null;
    }

    public void Written(List<LogEntry> entries, SimDisk disk)
    {
        Term before = disk.TermAt(entries[0].Index.Previous)
            ?? (disk.CheckpointIndex == entries[0].Index.Previous ? disk.CheckpointTerm : Term.Zero);
        foreach (LogEntry entry in entries)
        {
            if (!_entries.TryAdd((entry.Index, entry.Term), (entry, before)))
            {
                (LogEntry known, Term knownBefore) = _entries[(entry.Index, entry.Term)];
                Assert.True(knownBefore == before, $"log matching: before {entry} stands term {before} and term {knownBefore}");
                Assert.True(
                    ReferenceEquals(known, entry) || known.Bytes.Span.SequenceEqual(entry.Bytes.Span), $"log matching: two entries {entry}");
            }

            before = entry.Term;
        }
    }

    public void Leaves(SimNode node, RaftNode core, Message message)
    {
        bool asksOnly = message.Kind is MessageKind.PreVote or MessageKind.PreVoteReply;
        Assert.True(asksOnly || message.Term <= node.Disk.DurableHardState.Term, $"{message.Kind} in a term that is not durable");
        Assert.True(asksOnly || message.Term <= core.Term, "a message of a future term");
        switch (message.Kind)
        {
            case MessageKind.Vote:
                CastVote(node, message.Term, node.Id);
                break;
            case MessageKind.VoteReply when !message.Reject:
                CastVote(node, message.Term, message.To);
                break;
            case MessageKind.AppendReply when !message.Reject:
                Term? term = node.Disk.TermAt(message.Index);
                Assert.True(
                    message.Index <= node.Disk.CheckpointIndex || (term is { } held && node.Disk.HoldsDurably(message.Index, held)),
                    $"acknowledged {message.Index} before it is durable");
                break;
        }
    }

    public void ReadAnswered(SimNode node, ReadResult read)
    {
        Assert.True(node.Reads.Remove(read.Context, out LogIndex asked), "a read is answered once");
        if (!read.Granted) return;
        ReadsGranted++;
        Assert.True(read.Index >= asked, $"stale read: granted at {read.Index}, but {asked} was committed when it was asked");
    }

    public void AfterDrain(SimNode node, RaftNode core)
    {
        if (core.Role == Role.Leader && _leaders.TryAdd(core.Term, node.Info.Incarnation)) LeaderIsComplete(node, core);
        if (core.Role == Role.Leader) Assert.True(_leaders[core.Term] == node.Info.Incarnation, $"two leaders in term {core.Term}");
        Assert.True(core.CommitIndex >= node.Checked, "a commit index fell");
        for (LogIndex at = node.Checked.Next; at <= core.CommitIndex; at = at.Next) Commits(node, core, at);
        node.Checked = core.CommitIndex;
    }

    private void Commits(SimNode node, RaftNode core, LogIndex at)
    {
        LogEntry? entry = node.Disk.EntryAt(at);
        Assert.True(entry is not null, $"node {node.Id} committed {at} without holding it");
        if (at <= HighestCommitted)
        {
            LogEntry known = Committed(at);
            Assert.True(known.Term == entry.Term, $"committed {known} became {entry} on node {node.Id}");
            return;
        }

        // A leader may commit and step down before its effects are taken; a follower learns only of what a leader committed.
        Assert.True(at == HighestCommitted.Next && _leaders.ContainsValue(node.Info.Incarnation), "only a leader commits what is new");
        _committed.Add(entry);
        if (at == core.CommitIndex && core.Role == Role.Leader) IsOnAQuorum(core, at, entry.Term);
    }

    private void IsOnAQuorum(RaftNode core, LogIndex at, Term term)
    {
        MembershipRecord members = core.Membership!;

        // A disk that acknowledged and was wiped since cannot be counted any more.
        if (members.Voters.Concat(members.Outgoing).Any(voter => cluster.Node(voter.Id).Info.Incarnation != voter.Incarnation)) return;
        foreach (IReadOnlyList<MemberInfo> half in new[] { members.Voters, members.Outgoing })
        {
            if (half.Count == 0) continue;
            int holders = half.Count(voter => cluster.Node(voter.Id).Disk.HoldsDurably(at, term));
            Assert.True(holders > half.Count / 2, $"{at} committed but durable on {holders} of {half.Count}");
        }

        Assert.True(term == core.Term, "a leader commits by counting in its own term only");
    }

    private void LeaderIsComplete(SimNode node, RaftNode core)
    {
        for (LogIndex at = node.Disk.CheckpointIndex.Next; at <= HighestCommitted; at = at.Next)
        {
            if (Committed(at).Term >= core.Term) break;
            Assert.True(node.Disk.TermAt(at) == Committed(at).Term, $"the leader of {core.Term} lacks the committed {Committed(at)}");
        }
    }

    private void CastVote(SimNode node, Term term, NodeId candidate)
    {
        Assert.True(node.Disk.DurableHardState == new HardState(term, candidate), "a vote was told before it is durable");
        if (!_votes.TryAdd((node.Info.Incarnation, term), candidate))
        {
            Assert.True(_votes[(node.Info.Incarnation, term)] == candidate, $"node {node.Id} voted twice in term {term}");
        }
    }
}
