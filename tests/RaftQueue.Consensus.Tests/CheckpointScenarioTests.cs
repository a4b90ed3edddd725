using RaftQueue.Consensus.Tests.Support;
using RaftQueue.Primitives;

namespace RaftQueue.Consensus.Tests;

/// <summary>Bug 9 of RELIABILITY.md: the edges of checkpoints.</summary>
public sealed class CheckpointScenarioTests
{
    [Fact]
    public void Bug09_AFollowerBehindTheLogIsOfferedACheckpointUntilItHasOne()
    {
        Lab lab = WithCheckpointMissedBy3();
        lab.Join();
        lab.Advance(160);
        Assert.True(lab.Fetches.Count > 1, "the offer is repeated");
        Assert.Equal(ProgressState.Checkpoint, Assert.Single(lab[1].DescribePeers(), peer => peer.Id.Value == 3).State);
        Receive(lab, crashInside: false);
        lab.Advance(100);
        Assert.Equal(lab[1].CommitIndex, lab[3].CommitIndex);
        Assert.Equal(ProgressState.Replicate, Assert.Single(lab[1].DescribePeers(), peer => peer.Id.Value == 3).State);
        Assert.Equal(lab[1].Membership, lab[3].Membership);
    }

    [Fact]
    public void Bug09_TwoCheckpointsInQuickSuccession()
    {
        Lab lab = WithCheckpointMissedBy3();
        lab.Join();
        lab.Advance(60);
        (LogIndex index, Term term, MembershipRecord members) = Newest(lab);
        lab.Propose(1, 20);
        lab.Settle();
        lab.Node(1).TakeCheckpoint();
        lab.Node(3).Receive(index, term, members, crashInside: false);
        Assert.Equal(index, lab[3].CommitIndex);
        Receive(lab, crashInside: false);

        // The older one arrives again: nothing goes back.
        LogIndex commit = lab[3].CommitIndex;
        lab[3].InstallCheckpoint(index, term, members, lab.NowMs);
        Assert.Equal(commit, lab[3].CommitIndex);
        lab.Advance(200);
        Assert.Equal(lab[1].CommitIndex, lab[3].CommitIndex);
    }

    [Fact]
    public void Bug09_ACrashBetweenTheCheckpointAndTheLogBehindIt()
    {
        Lab lab = WithCheckpointMissedBy3();
        lab.Join();
        lab.Advance(60);
        Receive(lab, crashInside: true);
        lab.Node(3).Start();
        Assert.Equal(lab.Node(3).Disk.CheckpointIndex, lab[3].LastIndex);
        Assert.Equal(lab.Node(3).Disk.CheckpointIndex, lab[3].CommitIndex);
        lab[1].ConnectionOpened(new NodeId(3), lab.NowMs);
        lab.Advance(200);
        Assert.Equal(lab[1].CommitIndex, lab[3].CommitIndex);
    }

    [Fact]
    public void Bug09_ANodeMayCampaignWhileACheckpointIsOnItsWay()
    {
        Lab lab = WithCheckpointMissedBy3();
        lab.Join();
        lab.Advance(60);
        (LogIndex index, Term term, MembershipRecord members) = Newest(lab);
        lab[3].ConnectionClosed(new NodeId(1), lab.NowMs);
        lab.Isolate(3);
        lab.Advance(700);
        Assert.NotEqual(Role.Leader, lab[3].Role);
        lab.Node(3).Receive(index, term, members, crashInside: false);
        Assert.Equal(Role.Follower, lab[3].Role);
        lab.Join();
        lab.Advance(2_000);
        Assert.Equal(lab[lab.Leader()].CommitIndex, lab[3].CommitIndex);
    }

    [Fact]
    public void Bug09_AMatchingTailIsKeptAndItsMembershipsToo()
    {
        var lab = new Lab(3, bootstrap: false);
        lab.Prepare(1, 2, 1, 2, 2, 2, 2);
        lab[1].InstallCheckpoint(new LogIndex(3), new Term(2), Entries.Voters(1, 2, 3), lab.NowMs);
        Assert.Equal(new LogIndex(5), lab[1].LastIndex);
        Assert.Equal(new LogIndex(3), lab[1].CommitIndex);
        Assert.Null(lab[1].Effects.LogRestart);

        lab[1].InstallCheckpoint(new LogIndex(4), new Term(3), Entries.Voters(1, 2), lab.NowMs);
        Assert.Equal(new LogIndex(4), lab[1].LastIndex);
        Assert.Equal(new Term(3), lab[1].LastTerm);
        Assert.Equal(new Term(3), lab[1].Term);
        Assert.Equal(Entries.Voters(1, 2), lab[1].Membership);
        Assert.Equal((new LogIndex(4), new Term(3)), lab[1].Effects.LogRestart);
    }

    [Fact]
    public void Bug09_ATermThatIsNotKnownIsNotZero()
    {
        var lab = new Lab(3, bootstrap: false);
        SimDisk disk = lab.Node(1).Disk;
        disk.SaveCheckpoint(new LogIndex(10), new Term(4), Entries.Voters(1, 2, 3));
        disk.Save(new HardState(new Term(4), NodeId.None));
        disk.RestartAt(new LogIndex(10), new Term(4));
        disk.Sync(2);
        lab.Node(1).Start();

        // Term zero at a released index must not pass for a match; behind the checkpoint an unknown entry is a rejection.
        lab[1].Step(Append(previous: 12, previousTerm: 0), lab.NowMs);
        lab.Sync(1);
        Assert.True(lab.InFlight[^1].Message.Reject);
        lab[1].Step(Append(previous: 5, previousTerm: 3), lab.NowMs);
        lab.Sync(1);
        Assert.False(lab.InFlight[^1].Message.Reject);
        Assert.Equal(new LogIndex(10), lab.InFlight[^1].Message.Index);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(6)]
    public void Bug09_ALogThatBeginsBehindALostCheckpointAndIsEmptyWasLongerOnce(long older)
    {
        // The checkpoint at 10 was received, the log restarted behind it, and then it turned out damaged.
        var lab = new Lab(3, bootstrap: false);
        lab.Prepare(2, 4, 1, 1, 1, 1, 1, 1, 1);
        SimDisk disk = lab.Node(1).Disk;
        if (older > 0) disk.SaveCheckpoint(new LogIndex(older), new Term(1), Entries.Voters(1, 2, 3));
        disk.Save(new HardState(new Term(4), NodeId.None));
        disk.RestartAt(new LogIndex(10), new Term(4));
        disk.Sync(2);
        lab.Node(1).Start();
        Assert.Equal(new LogIndex(older), lab[1].LastIndex);
        Assert.Equal((new Term(4), new LogIndex(10)), lab.Node(1).VoteFloor);
        lab.Advance(5_000);
        Assert.False(lab[1].CanVote);
        Assert.NotEqual(Role.Leader, lab[2].Role);

        // However often it starts, and whatever it has got meanwhile.
        lab.Node(1).Crash();
        lab.Node(1).Start();
        lab.Advance(5_000);
        Assert.NotEqual(Role.Leader, lab[2].Role);
        lab.Prepare(3, 4, 1, 1, 1, 1, 1, 1, 1, 4, 4, 4, 4);
        lab.Advance(5_000);
        Assert.Equal(3, lab.Leader());
        Assert.True(lab[1].CanVote);
    }

    [Fact]
    public void Bug14_AMembershipThatIsNotCommittedIsInNoCheckpoint()
    {
        var lab = new Lab(3);
        lab.Elect(1);
        lab.Isolate(1);
        lab[1].ProposeMembershipChange(MembershipChange.Remove(new NodeId(3)), lab.NowMs);
        lab.Settle();
        MembershipRecord joint = lab[1].Membership!;
        Assert.True(joint.IsJoint);
        Assert.Throws<InvariantViolationException>(() => lab[1].Compacted(lab[1].MembershipIndex, lab[1].Term, joint));
        Assert.Throws<InvariantViolationException>(() => lab[1].Compacted(lab[1].CommitIndex, lab[1].Term, joint));
    }

    private static Lab WithCheckpointMissedBy3()
    {
        var lab = new Lab(3);
        lab.Elect(1);
        lab.Isolate(3);
        lab.Propose(1, 30);
        lab.Settle();
        lab.Node(1).TakeCheckpoint();
        lab.Node(1).Disk.Release(lab.Node(1).Disk.CheckpointIndex);
        lab.Propose(1, 3);
        lab.Settle();
        return lab;
    }

    private static (LogIndex Index, Term Term, MembershipRecord Members) Newest(Lab lab)
    {
        SimDisk disk = lab.Node(1).Disk;
        return (disk.CheckpointIndex, disk.CheckpointTerm, disk.CheckpointMembership!);
    }

    private static void Receive(Lab lab, bool crashInside)
    {
        (LogIndex index, Term term, MembershipRecord members) = Newest(lab);
        lab.Node(3).Receive(index, term, members, crashInside);
    }

    private static Message Append(long previous, long previousTerm) => new()
    {
        Kind = MessageKind.Append,
        From = new NodeId(2),
        To = new NodeId(1),
        Term = new Term(5),
        Index = new LogIndex(previous),
        LogTerm = new Term(previousTerm),
    };
}
