using RaftQueue.Checkers;
using RaftQueue.Consensus;
using RaftQueue.Primitives;
using RaftQueue.Runtime;
using RaftQueue.Storage;
using RaftQueue.TestKit;
using RaftQueue.Transport;

namespace RaftQueue.Simulation;

/// <summary>
/// Looks into every node that did something after every step, and at every vote that is told (P10), at what changed since: one leader a term, who has all
/// that is committed; votes once; terms that never fall; logs that match; what is committed never changes; equal index means equal
/// state and equal pages; and cluster time is never ahead of the true time (P5).
/// </summary>
internal sealed class ClusterWatch
{
    /// <summary>How far rounding to milliseconds may bring a stamp ahead.</summary>
    public const long StampToleranceMs = 2;

    /// <summary>What a leader knows of other clocks may be so old (LeaderClock), and its own has run on at its own speed since.</summary>
    private const long OldestSampleMs = 11_000;

    private const int MostBytesOfASmallFrame = 1_024;

    /// <summary>Findings in one life of a node, after which it is not looked at any more.</summary>
    private const int MostOfALife = 3;

    private readonly SimulatedCluster _cluster;
    private readonly Findings _findings;
    private readonly RaftChecker _raft = new();
    private readonly CommittedLog[] _committed;
    private readonly Dictionary<NodeId, Life> _lives = [];
    private readonly List<Message> _messages = [];
    private readonly QuorumChecker _quorums = new();
    private readonly LeaderWatch _leaders;
    private readonly MembershipWatch _memberships;
    private readonly TimeWatch _time;
    private long _mostDriftPpm;

    public ClusterWatch(SimulatedCluster cluster, int shards, Findings findings)
    {
        _cluster = cluster;
        _findings = findings;
        _committed = [.. Enumerable.Range(0, shards).Select(_ => new CommittedLog())];
        _memberships = new MembershipWatch(_committed);
        _leaders = new LeaderWatch(cluster);
        Pages = new PageWatch(_raft);
        Disks = new DiskWatch(cluster);
        _time = new TimeWatch(cluster);
        cluster.Network.Sent = NoteSent;
    }

    /// <summary>Committed entries in all.</summary>
    public int Entries => _committed.Sum(log => log.Count);

    /// <summary>Compares what nodes have at one index.</summary>
    public PageWatch Pages { get; }

    /// <summary>Asks the disks.</summary>
    public DiskWatch Disks { get; }

    /// <summary>Some node was not looked at to the end: more may be committed than is known.</summary>
    public bool IsBlind { get; private set; }

    /// <summary>Lives of nodes that were followed by others.</summary>
    public int LivesEnded { get; private set; }

    /// <summary>Those of which the last step was not looked at: stopped in good order, or by the disk in the middle of a slice of the replica or apply loop.</summary>
    public int LivesUnseen { get; private set; }

    /// <summary>
    /// What is found of one node is noted, and the others are looked at all the same. What is planned to fail fails only for the nodes
    /// themselves, and damage that was done and that the watch meets before the node does is no finding.
    /// </summary>
    public void AfterStep()
    {
        _time.Note();
        foreach (SimulatedNode node in _cluster.Nodes) LookAt(node);
    }

    /// <summary>
    /// A node stops in the middle of a slice, and what it did before in this step is looked at now. The replica loop and the apply loop
    /// leave nothing whole behind in the middle of theirs; those of the disk touch nothing of what these hold.
    /// </summary>
    public void Stops(SimulatedNode node)
    {
        if (node.Loops?.LastLoop is Loop.Log or Loop.Segments or Loop.Checkpoint or Loop.Eviction) LookAt(node);
    }

    /// <summary>The entries of a shard from the first one to <paramref name="end"/>.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Log(int shard, LogIndex end) => _committed[shard].To(end);

    /// <summary>By how much an entry's stamp was behind the true time when it was first seen anywhere.</summary>
    public long LagMs(ShardId shard, LogIndex index) => _committed[shard.Value].LagMs(index) + AheadMs;

    /// <summary>No monotonic clock is wrong by more than so many millionths.</summary>
    public long MostDriftPpm
    {
        get => _mostDriftPpm;
        set
        {
            _mostDriftPpm = value;
            _time.DriftMs = AheadMs;
        }
    }

    /// <summary>By how much a message may be late or come again.</summary>
    public long MostLateMs
    {
        set => _time.LateMs = value;
    }

    /// <summary>By how much drifting clocks may bring cluster time ahead.</summary>
    private long AheadMs => MostDriftPpm * OldestSampleMs / 1_000_000;

    /// <summary>All that is committed is known up to here.</summary>
    public LogIndex CommittedTo(int shard) => _committed[shard].KnownTo;

    public ulong? StateHashAt(ShardId shard, LogIndex index) => _raft.StateAt(shard, index.Value);

    private void Ended(Life life)
    {
        LivesEnded++;
        if (life.SlicesSeen != life.Loops.Slices && life.Findings < MostOfALife) LivesUnseen++;
    }

    /// <summary>Null when there is nothing to look at: what no loop has touched is as it was.</summary>
    private Life? LifeOf(SimulatedNode simulated, Node node)
    {
        if (!_lives.TryGetValue(simulated.Id, out Life? life) || life.Node != node)
        {
            if (life is not null) Ended(life);
            life = new Life(node, simulated.Loops!, [.. node.Parts.Replica.Shards.Select(shard => new ReplicaView(node.Parts.Shared.Wal.Log(shard.Shard), _committed[shard.Shard.Value].Find))]);
            _lives[simulated.Id] = life;
        }

        long slices = simulated.Loops!.Slices;
        if (life.SlicesSeen == slices || life.Findings >= MostOfALife) return null;
        life.SlicesSeen = slices;
        return life;
    }

    private void LookAt(SimulatedNode node)
    {
        if (node.Node is not { } running || LifeOf(node, running) is not { } life) return;
        node.Disk.IsWatched = true;
        try
        {
            Look(node, running, life);
        }
        catch (Exception exception) when (exception is StorageDamagedException or RaftQueue.Pages.CheckpointDamagedException && node.Damaged != DamagedParts.None)
        {
            _cluster.Tell($"not seen of node {node.Id}: {exception.Message}");
        }
        catch (PropertyViolatedException violated)
        {
            _findings.Note(violated);
            life.Findings++;
            IsBlind = true;
        }
        finally
        {
            node.Disk.IsWatched = false;
        }
    }

    private void Look(SimulatedNode simulated, Node node, Life life)
    {
        foreach (ShardReplica replica in node.Parts.Replica.Shards)
        {
            Look(simulated, replica, life.Views[replica.Shard.Value]);
            Pages.LookAtCheckpoint(simulated.Id, node, replica.Shard);
        }

        Disks.Look(simulated, node);
        _memberships.Look(simulated.Id, node);
        _leaders.Look(simulated, node, _cluster.Clock.MonotonicMicroseconds);
    }

    private void Look(SimulatedNode simulated, ShardReplica replica, ReplicaView view)
    {
        NodeId id = simulated.Id;
        ShardId shard = replica.Shard;
        RaftNode raft = replica.Raft;
        CommittedLog committed = _committed[shard.Value];

        // Just started behind a checkpoint that its log does not reach: what is stored is dropped before anybody reads it.
        if (raft.Effects.LogRestart is not null) return;
        if (raft.LastIndex != view.LastIndex || raft.LastTerm != view.LastTerm)
            view.Update(raft.LastIndex, raft.LastTerm, (entry, before) => NoteEntry(simulated, replica, view, entry, before));
        LookAtLeader(id, raft, shard, view);
        Require.That(raft.CommitIndex >= view.CommitIndex, $"P10: node {id} went back from commit {view.CommitIndex} to {raft.CommitIndex} of shard {shard}");
        if (raft.CommitIndex > view.CommitIndex) NoteCommitted(id, raft, shard, view, committed);
        (LogIndex index, ulong hash) = replica.Link.StateHash;
        if (index == view.AppliedIndex) return;
        view.AppliedIndex = index;
        _raft.Applied(shard, id, index.Value, hash);
        Pages.Applied(id, replica, index);
    }

    private void LookAtLeader(NodeId id, RaftNode raft, ShardId shard, ReplicaView view)
    {
        if (raft.Role != Role.Leader || raft.Membership is not { } membership) return;
        if (view.LeadsTerm == raft.Term)
        {
            if (raft.CommitIndex > view.CommitIndex) CheckCounted(id, raft, shard, view);
            return;
        }

        view.LeadsTerm = raft.Term;
        view.Memberships.Clear();
        view.Memberships.Add((raft.MembershipIndex.Value, HalvesOf(membership)));
        _raft.Leads(shard, raft.Term.Value, id);
        _quorums.Leads(shard, raft.Term.Value, id, view.Memberships[0].Halves);
        CheckComplete(id, shard, raft.Term, view);
    }

    private static Halves HalvesOf(MembershipRecord membership) => new(
        [.. membership.Voters.Select(member => (member.Id, member.Incarnation))], [.. membership.Outgoing.Select(member => (member.Id, member.Incarnation))]);

    /// <summary>By every membership that stood in its log since it leads: also one that came and went within this step.</summary>
    private void CheckCounted(NodeId id, RaftNode raft, ShardId shard, ReplicaView view)
    {
        long to = raft.CommitIndex.Value;
        if (view.Find(raft.CommitIndex) is { } last) QuorumChecker.Counts(shard, raft.Term.Value, id, last.Index.Value, last.Term.Value);
        _quorums.Commits(shard, raft.Term.Value, id, raft.DurableIndex.Value, view.CommitIndex.Value, to, view.Memberships);
        while (view.Memberships.Count > 1 && view.Memberships[1].Index <= to) view.Memberships.RemoveAt(0);
    }

    private void NoteEntry(SimulatedNode simulated, ShardReplica replica, ReplicaView view, LogEntry entry, LogEntry? before)
    {
        ShardId shard = replica.Shard;
        NodeId id = simulated.Id;
        if (entry.Membership is { } membership && view.LeadsTerm == entry.Term) view.Memberships.Add((entry.Index.Value, HalvesOf(membership)));
        if (before is not null)
            _raft.Holds(shard, id, entry.Term.Value, entry.Index.Value, ReplicaView.ChecksumOf(entry), ReplicaView.ChecksumOf(before));
        bool isNew = _committed[shard.Value].Saw(entry, _cluster.Clock.WallUnixMs);
        long ahead = entry.Header.TimestampMs - _cluster.Clock.WallUnixMs;
        Require.That(!isNew || ahead <= StampToleranceMs + AheadMs, $"P5: entry {entry.Index} of shard {shard} is stamped {ahead} ms ahead of time");
        if (replica.Raft.Role == Role.Leader && replica.Raft.Term == entry.Term) _time.Stamped(simulated, replica, entry, before);
    }

    private void NoteCommitted(NodeId id, RaftNode raft, ShardId shard, ReplicaView view, CommittedLog committed)
    {
        for (long at = view.CommitIndex.Value + 1; at <= raft.CommitIndex.Value; at++)
        {
            // What lies in front of the log stands in a checkpoint.
            if (view.Find(new LogIndex(at)) is not { } entry) continue;
            _raft.Committed(shard, id, at, ReplicaView.ChecksumOf(entry));
            committed.Add(entry, raft.Term);
        }

        view.CommitIndex = raft.CommitIndex;
    }

    /// <summary>By log matching it is enough to look at the newest entry that is known to have been committed in an earlier term.</summary>
    private void CheckComplete(NodeId id, ShardId shard, Term term, ReplicaView view)
    {
        if (_committed[shard.Value].LastBefore(term) is not { } last) return;
        bool has = view.FirstIndex > last.Index
            || (view.Find(last.Index) is { } own && ReplicaView.ChecksumOf(own) == ReplicaView.ChecksumOf(last));
        Require.That(has, $"P10: node {id} leads term {term} of shard {shard} without {last}, which was committed");
    }

    private void NoteSent(NodeId from, Incarnation sender, FrameKind kind, bool urgent, ReadOnlySpan<byte> payload)
    {
        try
        {
            NotePromises(from, sender, kind, urgent, payload);
        }
        catch (PropertyViolatedException violated)
        {
            // It is the judge's, not the node's.
            _findings.Note(violated);
        }
    }

    /// <summary>What a node says in a term is a promise: it has it on its disk.</summary>
    private void NotePromises(NodeId from, Incarnation sender, FrameKind kind, bool urgent, ReadOnlySpan<byte> payload)
    {
        // Urgent frames carry no entries: what has to be seen stands in these.
        if (kind != FrameKind.Raft || (!urgent && payload.Length > MostBytesOfASmallFrame)) return;
        _messages.Clear();
        Require.That(MessageCodec.TryDecode(payload.ToArray(), _messages), $"P10: node {from} sends messages that can be read");
        foreach (Message message in _messages)
        {
            if (message.Kind is MessageKind.PreVote or MessageKind.PreVoteReply) continue;
            NodeId vote = message.Kind switch
            {
                MessageKind.VoteReply when !message.Reject => message.To,
                MessageKind.Vote => from,
                _ => NodeId.None,
            };
            _raft.Promises(message.Shard, sender, from, message.Term.Value, vote);
            Disks.Promises(from, sender, message.Shard, message.Term, vote);
            if (message is { Kind: MessageKind.VoteReply, Reject: false })
                _quorums.Votes(message.Shard, message.Term.Value, message.To, from, sender);
            else if (message is { Kind: MessageKind.AppendReply, Reject: false })
                _quorums.Acknowledges(message.Shard, message.Term.Value, from, sender, message.Index.Value, DurableOf(from, message));
        }
    }

    /// <summary>Null when the node has gone on to another term since, in which its log may have been cut.</summary>
    private long? DurableOf(NodeId from, Message message) =>
        _cluster[from.Value].Node?.Parts.Replica.Shards[message.Shard.Value].Raft is { } raft && raft.Term == message.Term ? raft.DurableIndex.Value : null;

    /// <summary>One life of a node as it was seen last.</summary>
    private sealed class Life(Node node, ManualLoopHost loops, ReplicaView[] views)
    {
        public ManualLoopHost Loops => loops;

        public Node Node => node;

        public ReplicaView[] Views => views;

        public long SlicesSeen { get; set; } = -1;

        public int Findings { get; set; }
    }
}
