using RaftQueue.Consensus.Tests.Support;
using RaftQueue.Primitives;

namespace RaftQueue.Consensus.Tests;

/// <summary>Numbers in names are those of the likeliest bugs in RELIABILITY.md.</summary>
public sealed class ElectionScenarioTests
{
    [Fact]
    public void Bug01_AVoteIsToldOnlyWhenItIsDurable()
    {
        var lab = new Lab(3);
        lab.Isolate(1);
        lab.StuckDisks.Add(3);
        NodeId two = new(2);
        lab.NowMs = lab[2].NextDeadlineMs;
        lab[2].Tick(lab.NowMs);
        lab.Settle();
        Assert.Equal(Role.Candidate, lab[2].Role);
        Assert.Equal(new Term(1), lab[3].Term);

        // The vote dies with the process: the node has promised nothing and may vote for another candidate of that term.
        lab.Node(3).Crash();
        Assert.Equal(default, lab.Node(3).Disk.DurableHardState);
        lab.Node(3).Start();
        Assert.Equal(Term.Zero, lab[3].Term);

        lab.StuckDisks.Clear();
        lab[3].Step(VoteOf(2, 3, 1), lab.NowMs);
        lab.Node(3).Drain();
        Assert.Empty(lab.InFlight);
        lab.Sync(3);
        Assert.Equal(MessageKind.VoteReply, Assert.Single(lab.InFlight).Message.Kind);
        Assert.Equal(new HardState(new Term(1), two), lab.Node(3).Disk.DurableHardState);
    }

    [Fact]
    public void Bug02_AVoteStandsWhenTheLeaderStepsDownWithinTheTerm()
    {
        var lab = new Lab(3);
        lab.Elect(1);
        Term term = lab[1].Term;
        lab[1].StepDown("test", lab.NowMs);
        lab.Node(1).Drain();
        lab.InFlight.Clear();
        Assert.Equal(Role.Follower, lab[1].Role);

        // A request of the same term, repeated by the network, finds the votes cast.
        foreach (int voter in new[] { 1, 2 })
        {
            lab[voter].Step(VoteOf(3, voter, term.Value, lab[voter].LastTerm.Value, lab[voter].LastIndex.Value, force: true), lab.NowMs);
            lab.Node(voter).Drain();
        }

        Assert.All(lab.InFlight, packet => Assert.True(packet.Message.Reject));
        Assert.Equal(2, lab.InFlight.Count);
    }

    [Theory]
    [InlineData(3, 5, true)]
    [InlineData(3, 6, true)]
    [InlineData(3, 4, false)]
    [InlineData(4, 1, true)]
    [InlineData(2, 9, false)]
    public void Bug06_ALogIsUpToDateByTermFirst(long lastTerm, long lastIndex, bool granted)
    {
        var lab = new Lab(3, bootstrap: false);
        lab.Prepare(1, 3, 1, 1, 2, 3, 3);
        lab[1].Step(VoteOf(2, 1, 7, lastTerm, lastIndex), lab.NowMs);
        lab.Sync(1);
        Message reply = Assert.Single(lab.InFlight).Message;
        Assert.Equal(MessageKind.VoteReply, reply.Kind);
        Assert.Equal(granted, !reply.Reject);
    }

    [Fact]
    public void Bug11_ARefusedCandidateDoesNotMoveTheElectionTimer()
    {
        var lab = new Lab(3, bootstrap: false);
        lab.Prepare(1, 3, 1, 3, 3);
        long deadline = lab[1].NextDeadlineMs;
        for (int term = 4; term < 40; term++)
        {
            lab.NowMs++;
            lab[1].Step(VoteOf(2, 1, term, 1, 1), lab.NowMs);
        }

        Assert.Equal(new Term(39), lab[1].Term);
        Assert.Equal(deadline, lab[1].NextDeadlineMs);
    }

    [Fact]
    public void Bug12_ANodeBehindABridgeNeitherRaisesItsTermNorDisturbsTheLeader()
    {
        var lab = new Lab(3);
        lab.Elect(1);
        lab.Cut(1, 3);
        Term term = lab[1].Term;
        lab.Advance(5_000);
        Assert.Equal(Role.Leader, lab[1].Role);
        Assert.Equal(term, lab[1].Term);
        Assert.Equal(term, lab[3].Term);
    }

    [Fact]
    public void Bug13_ANodeStuckAtAHigherTermComesBack()
    {
        var lab = new Lab(3, bootstrap: false);
        lab.Prepare(1, 1, 1, 1);
        lab.Prepare(2, 1, 1, 1);
        lab.Prepare(3, 9, 1);
        lab.Isolate(3);
        lab.Elect(1);
        lab.Join();
        Assert.True(lab[1].Term < lab[3].Term);
        lab.Advance(2_000);
        Assert.Equal(lab[lab.Leader()].LastIndex, lab[3].CommitIndex);
        Assert.True(lab[3].Term >= new Term(9));
    }

    [Fact]
    public void AClosedLeaderConnectionIsFollowedByANewLeaderWithinThirtyMilliseconds()
    {
        var lab = new Lab(3);
        lab.Elect(1);
        lab.Advance(100);
        lab.Node(1).Crash();
        lab[2].ConnectionClosed(new NodeId(1), lab.NowMs);
        lab[3].ConnectionClosed(new NodeId(1), lab.NowMs);
        lab.Advance(30);
        Assert.Equal(2, lab.Leader());
        Assert.True(lab[2].LeaderReady);
    }

    [Fact]
    public void ALeaderThatHearsNoQuorumStepsDown()
    {
        var lab = new Lab(3);
        lab.Elect(1);
        lab.Isolate(1);
        lab.Advance(290);
        Assert.Equal(Role.Leader, lab[1].Role);
        lab.Advance(400);
        Assert.NotEqual(Role.Leader, lab[1].Role);
        Assert.Contains("quorum", lab[1].LastStepDownReason, StringComparison.Ordinal);
    }

    [Fact]
    public void ANodeWithADamagedLogVotesOnlyWhenItHoldsAgainWhatItOnceHeld()
    {
        var lab = new Lab(3, bootstrap: false);
        lab.Node(3).VoteFloor = (new Term(2), new LogIndex(4));
        lab.Prepare(1, 2, 1, 1, 2, 2);
        lab.Prepare(2, 2, 1, 1);
        lab.Prepare(3, 2, 1, 1);
        lab.Node(1).Crash();
        Assert.False(lab[3].CanVote);
        lab.Advance(5_000);
        Assert.NotEqual(Role.Leader, lab[2].Role);
        Assert.NotEqual(Role.Leader, lab[3].Role);

        lab.Node(1).Start();
        lab.Advance(3_000);
        Assert.Equal(1, lab.Leader());
        Assert.True(lab[3].CanVote);
        Assert.Equal(lab[1].CommitIndex, lab[3].CommitIndex);
    }

    [Fact]
    public void ANodeThatForgotItsPromisesTakesNoPart()
    {
        MembershipRecord members = Entries.Voters(1);
        var disk = new SimDisk();
        disk.Append([LogEntry.ForMembership(Entries.Shard, new Term(1), new LogIndex(1), 0, members)]);
        var options = new RaftOptions { Self = new NodeId(1), SelfIncarnation = members.Voters[0].Incarnation, Shard = Entries.Shard };
        var node = new RaftNode(options, new RaftStart { HardState = null }, disk, new SplitMix64(1), 0);
        Assert.False(node.CanVote);
        for (long now = 0; now < 5_000; now += 50) node.Tick(now);
        node.Step(VoteOf(2, 1, 5, 9, 9), 5_000);
        Assert.Equal(Role.Follower, node.Role);
        Assert.Empty(node.Effects.Messages);
    }

    [Fact]
    public void TransferGoesToACaughtUpNodeAndRefusesProposalsMeanwhile()
    {
        var lab = new Lab(3);
        lab.Elect(1);
        lab.Cut(1, 2);
        lab.Propose(1);
        Assert.True(lab[1].TransferLeadership(new NodeId(2), lab.NowMs));
        Assert.Equal(ProposeResult.Transferring, lab[1].TryPropose(Entries.Job(lab[1].Term.Value, lab[1].LastIndex.Value + 1, 1), lab.NowMs));
        lab.Settle();
        Assert.Equal(Role.Leader, lab[1].Role);

        // Node 2 does not catch up: after an election timeout the leader takes proposals again.
        lab.Advance(350);
        Assert.False(lab[1].IsTransferring);
        lab.Propose(1);

        lab.Join();
        lab.Advance(200);
        Assert.True(lab[1].TransferLeadership(NodeId.None, lab.NowMs));
        lab.Settle();
        Assert.NotEqual(1, lab.Leader());
        Assert.False(lab[2].TransferLeadership(NodeId.None, lab.NowMs) && lab[3].TransferLeadership(NodeId.None, lab.NowMs));
    }

    [Fact]
    public void ASingleNodeLeadsCommitsByItsOwnDiskAndReads()
    {
        var lab = new Lab(1);
        lab.Advance(5);
        Assert.Equal(1, lab.Leader());
        lab.StuckDisks.Add(1);
        LogIndex before = lab[1].CommitIndex;
        lab.Propose(1);
        lab.Settle();
        Assert.Equal(before, lab[1].CommitIndex);
        lab.StuckDisks.Clear();
        lab.Settle();
        Assert.Equal(before.Next, lab[1].CommitIndex);
        lab.Node(1).AskToRead();
        lab.Settle();
        Assert.Empty(lab.Node(1).Reads);
        Assert.Equal(1, lab.Checks.ReadsGranted);

        lab.Node(1).Crash();
        lab.Node(1).Start();
        lab.Advance(5);
        Assert.True(lab[1].LeaderReady);
    }

    [Fact]
    public void ATransferToldInAnEarlierTermIsIgnored()
    {
        var lab = new Lab(3);
        lab.Elect(1);
        Term term = lab[1].Term;
        lab.Isolate(1);
        lab.Elect(2);
        lab.Join();
        Term now = lab[3].Term;
        lab[3].Step(Of(MessageKind.TimeoutNow, 1, 3, term.Value), lab.NowMs);
        Assert.Equal(Role.Follower, lab[3].Role);
        Assert.Equal(now, lab[3].Term);
    }

    private static Message Of(MessageKind kind, int from, int to, long term) => new()
    {
        Kind = kind,
        From = new NodeId(from),
        To = new NodeId(to),
        Term = new Term(term),
    };

    private static Message VoteOf(int candidate, int to, long term, long lastTerm = 0, long lastIndex = 0, bool force = false) => new()
    {
        Kind = MessageKind.Vote,
        From = new NodeId(candidate),
        To = new NodeId(to),
        Term = new Term(term),
        LogTerm = new Term(lastTerm),
        Index = new LogIndex(lastIndex),
        Force = force,
    };
}
