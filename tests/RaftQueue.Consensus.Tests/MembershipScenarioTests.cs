using RaftQueue.Consensus.Tests.Support;
using RaftQueue.Primitives;

namespace RaftQueue.Consensus.Tests;

/// <summary>Numbers in names are those of the likeliest bugs in RELIABILITY.md.</summary>
public sealed class MembershipScenarioTests
{
    [Fact]
    public void Bug14_AChangeWaitsForTheFirstCommitOfTheTerm()
    {
        var lab = new Lab(3);
        lab.Elect(1);
        lab.Isolate(1);
        lab.StuckDisks.Add(3);
        lab.NowMs = lab[2].NextDeadlineMs;
        lab[2].Tick(lab.NowMs);
        lab.Settle();
        lab.Sync(3);
        lab.Settle();
        Assert.Equal(Role.Leader, lab[2].Role);
        var remove = MembershipChange.Remove(new NodeId(1));
        Assert.Equal(MembershipChangeResult.NotReady, lab[2].ProposeMembershipChange(remove, lab.NowMs));
        lab[2].PeerIncarnation(new NodeId(1), new Incarnation(77), Entries.Member(1), lab.NowMs);
        Assert.Null(lab[2].WantsMembership);
        lab.StuckDisks.Clear();
        lab.Settle();
        Assert.Equal(new Incarnation(77), Assert.Single(lab[2].Membership!.Learners).Incarnation);
    }

    [Fact]
    public void Bug14_AMembershipCountsFromItsAppendAndGoesWhenItIsTruncated()
    {
        var lab = new Lab(3);
        lab.Elect(1);
        lab.Isolate(1);
        Assert.Equal(MembershipChangeResult.Accepted, lab[1].ProposeMembershipChange(MembershipChange.Remove(new NodeId(3)), lab.NowMs));
        lab.Settle();
        Assert.True(lab[1].Membership!.IsJoint);
        Assert.True(lab[1].MembershipIndex > lab[1].CommitIndex);

        lab.Elect(2);
        lab.Join();
        lab.Advance(300);
        Assert.False(lab[1].Membership!.IsJoint);
        Assert.Equal(3, lab[1].Membership!.Voters.Count);
        Assert.Equal(lab[2].MembershipIndex, lab[1].MembershipIndex);
    }

    [Fact]
    public void Bug14_AJointMembershipNeedsBothHalves()
    {
        var lab = new Lab(5);
        lab.Elect(1);
        lab.Advance(60);

        // {1..5} loses 4: the old half needs three of five, the new one three of four. With 1 and 2 alone nothing is decided.
        foreach (int away in new[] { 3, 4, 5 }) lab.Isolate(away);
        Assert.Equal(MembershipChangeResult.Accepted, lab[1].ProposeMembershipChange(MembershipChange.Remove(new NodeId(4)), lab.NowMs));
        lab.Settle();
        Assert.True(lab[1].Membership!.IsJoint);
        Assert.True(lab[1].MembershipIndex > lab[1].CommitIndex);
        Assert.Equal(MembershipChangeResult.InProgress, lab[1].ProposeMembershipChange(MembershipChange.Remove(new NodeId(5)), lab.NowMs));
        lab.Join();
        lab.Advance(1_500);
        RaftNode leader = lab[lab.Leader()];
        Assert.False(leader.Membership!.IsJoint);
    }

    [Fact]
    public void Bug14_ARemovedNodeIsNotCounted()
    {
        var lab = new Lab(3);
        lab.Elect(1);
        Assert.Equal(MembershipChangeResult.Accepted, lab[1].ProposeMembershipChange(MembershipChange.Remove(new NodeId(3)), lab.NowMs));
        lab.Settle();
        Assert.Equal([1, 2], lab[1].Membership!.Voters.Select(voter => voter.Id.Value));

        // Node 3 would be a majority with node 1 if it still counted.
        lab.Cut(1, 2);
        LogIndex before = lab[1].CommitIndex;
        lab.Propose(1);
        lab.Settle();
        Assert.Equal(before, lab[1].CommitIndex);
        Assert.DoesNotContain(lab[1].DescribePeers(), peer => peer.Id.Value == 3);
    }

    [Fact]
    public void Bug14_ARemovedLeaderLeadsUntilItsRemovalIsCommitted()
    {
        var lab = new Lab(3);
        lab.Elect(1);
        Assert.Equal(MembershipChangeResult.Accepted, lab[1].ProposeMembershipChange(MembershipChange.Remove(new NodeId(1)), lab.NowMs));
        lab.Advance(100);
        Assert.NotEqual(1, lab.Leader());
        Assert.Equal([2, 3], lab[lab.Leader()].Membership!.Voters.Select(voter => voter.Id.Value));
        Term term = lab[lab.Leader()].Term;
        lab.Advance(3_000);
        Assert.Equal(term, lab[lab.Leader()].Term);
    }

    [Fact]
    public void ALearnerIsFedButCountedNowhereUntilItIsPromoted()
    {
        var lab = new Lab(4, bootstrap: false);
        foreach (int id in new[] { 1, 2, 3 }) lab.Node(id).Start();
        foreach (int id in new[] { 1, 2, 3 }) lab.Node(id).Bootstrap(Entries.Voters(1, 2, 3));
        lab.Node(4).Start();
        lab.Elect(1);
        var add = MembershipChange.AddLearner(Entries.Member(4));
        Assert.Equal(MembershipChangeResult.Accepted, lab[1].ProposeMembershipChange(add, lab.NowMs));
        lab.Isolate(4);
        lab.Advance(60);
        Assert.Equal(MembershipChangeResult.NotCaughtUp, lab[1].ProposeMembershipChange(MembershipChange.Promote(new NodeId(4)), lab.NowMs));
        lab.Join();
        lab.Cut(1, 2);
        lab.Cut(1, 3);
        LogIndex before = lab[1].CommitIndex;
        lab.Propose(1);
        lab.Advance(100);
        Assert.Equal(lab[1].LastIndex, lab[4].DurableIndex);
        Assert.Equal(before, lab[1].CommitIndex);
        lab.Join();
        lab.Advance(100);
        Assert.Equal(MembershipChangeResult.Accepted, lab[1].ProposeMembershipChange(MembershipChange.Promote(new NodeId(4)), lab.NowMs));
        lab.Settle();
        Assert.Equal(4, lab[1].Membership!.Voters.Count);
        Assert.Equal(MembershipChangeResult.AlreadyDone, lab[1].ProposeMembershipChange(MembershipChange.Promote(new NodeId(4)), lab.NowMs));
        Assert.Equal(MembershipChangeResult.Unknown, lab[1].ProposeMembershipChange(MembershipChange.Remove(new NodeId(9)), lab.NowMs));
    }

    [Fact]
    public void AWipedNodeIsSwappedInByItselfAndNeverVotesBefore()
    {
        var lab = new Lab(3);
        lab.Elect(1);
        lab.Propose(1, 5);
        lab.Settle();
        lab.Node(3).Wipe(new Incarnation(999));
        Assert.False(lab[3].CanVote);

        // Under its old identity it grants nothing, however it is asked.
        lab[3].Step(
            new Message
            {
                Kind = MessageKind.Vote, From = new NodeId(2), To = new NodeId(3), Term = new Term(50), LogTerm = new Term(9), Index = new LogIndex(99),
                Force = true,
            },
            lab.NowMs);
        lab.Sync(3);
        Assert.All(lab.InFlight, packet => Assert.True(packet.Message.Reject));
        lab.InFlight.Clear();

        lab[1].PeerIncarnation(new NodeId(3), new Incarnation(999), lab.Node(3).Info, lab.NowMs);
        lab.Advance(800);
        RaftNode leader = lab[lab.Leader()];
        leader.PeerIncarnation(new NodeId(3), new Incarnation(999), lab.Node(3).Info, lab.NowMs);
        lab.Advance(800);
        leader = lab[lab.Leader()];
        Assert.False(leader.Membership!.IsJoint);
        Assert.Equal(new Incarnation(999), leader.Membership.Voters.Single(voter => voter.Id.Value == 3).Incarnation);
        Assert.True(lab[3].CanVote);
        Assert.Equal(leader.CommitIndex, lab[3].CommitIndex);
    }

    [Fact]
    public void RepliesOfAnotherIncarnationCountForNothing()
    {
        var lab = new Lab(3);
        lab.Isolate(2);
        lab.Isolate(3);
        lab.NowMs = lab[1].NextDeadlineMs;
        lab[1].Tick(lab.NowMs);
        lab.Node(1).Drain();
        var reply = new Message { Kind = MessageKind.PreVoteReply, From = new NodeId(2), To = new NodeId(1), Term = new Term(1) };
        reply.FromIncarnation = new Incarnation(31337);
        lab[1].Step(reply, lab.NowMs);
        Assert.Equal(Role.PreCandidate, lab[1].Role);
        reply.FromIncarnation = Entries.Member(2).Incarnation;
        lab[1].Step(reply, lab.NowMs);
        Assert.Equal(Role.Candidate, lab[1].Role);
    }

    [Fact]
    public void AnotherMembershipThanTheWantedOneIsNotTaken()
    {
        var lab = new Lab(3);
        lab.Elect(1);
        LogEntry entry = LogEntry.ForMembership(Entries.Shard, lab[1].Term, lab[1].LastIndex.Next, 0, Entries.Voters(1));
        Assert.Equal(ProposeResult.NotWanted, lab[1].TryPropose(entry, lab.NowMs));
    }
}
