using RaftQueue.Consensus.Tests.Support;
using RaftQueue.Primitives;

namespace RaftQueue.Consensus.Tests;

/// <summary>Followers whose disks store nothing, or are full, while their loops answer.</summary>
public sealed class HungDiskScenarioTests
{
    private const long LongMs = 5_000;

    [Fact]
    public void AFollowerThatStoresNothingDoesNotKeepALeaderInOfficeThatCannotCommit()
    {
        var lab = new Lab(5);
        lab.Elect(1);
        Hang(lab, 3);
        lab.Cut(1, 4);
        lab.Cut(1, 5);
        lab.Propose(1);

        // With 2 alone the leader commits nothing; 2, 4 and 5 hear each other and their disks work.
        lab.Advance(LongMs);
        int leader = lab.Leader();
        Assert.Contains(leader, new[] { 2, 4, 5 });
        Commits(lab, leader);
    }

    [Fact]
    public void OfThreeVotersTheLeaderStaysAndConfirmsReadsWhileBothOthersHang()
    {
        var lab = new Lab(3);
        lab.Elect(1);
        Hang(lab, 2);
        Hang(lab, 3);
        Term term = lab[1].Term;
        LogIndex before = lab[1].CommitIndex;
        lab.Propose(1);
        lab.Advance(LongMs);
        Assert.Equal((Role.Leader, term, before), (lab[1].Role, lab[1].Term, lab[1].CommitIndex));
        int granted = lab.Checks.ReadsGranted;
        lab.Node(1).AskToRead();
        lab.Settle();
        Assert.Equal(granted + 1, lab.Checks.ReadsGranted);

        // One disk goes on: the same leader commits.
        lab.StuckDisks.Remove(2);
        lab[2].LogHangs = false;
        lab.Advance(1_000);
        Assert.Equal(term, lab[1].Term);
        Commits(lab, 1);
    }

    [Fact]
    public void WhereTooManyHangForAnyQuorumTheLeaderStays()
    {
        var lab = new Lab(5);
        lab.Elect(1);
        for (int id = 3; id <= 5; id++) Hang(lab, id);
        Term term = lab[1].Term;
        lab.Advance(LongMs);
        Assert.Equal((Role.Leader, term), (lab[1].Role, lab[1].Term));
    }

    [Fact]
    public void WhoStoresNothingDoesNotCampaign()
    {
        var lab = new Lab(3);
        lab.Elect(1);
        Hang(lab, 2);
        lab.Isolate(1);
        lab.StuckDisks.Add(3);
        Term term = lab[2].Term;
        for (int i = 0; i < 20; i++)
        {
            lab.NowMs = Math.Max(lab.NowMs, lab[2].NextDeadlineMs);
            lab[2].Tick(lab.NowMs);
            lab.Node(2).Drain();
            Assert.Equal((Role.Follower, term), (lab[2].Role, lab[2].Term));
        }

        Assert.Empty(lab.InFlight);
    }

    [Fact]
    public void WhoStoresNothingGrantsNoPreVote()
    {
        var lab = new Lab(3);
        lab.Elect(1);
        Hang(lab, 2);
        lab.Isolate(1);
        Term term = lab[3].Term;

        // Its vote could not be stored: whoever were encouraged would only raise the term.
        lab.Advance(LongMs);
        Assert.Equal((Role.PreCandidate, term), (lab[3].Role, lab[3].Term));
        lab.StuckDisks.Remove(2);
        lab[2].LogHangs = false;
        lab.Advance(LongMs);
        Assert.Contains(lab[3].Role == Role.Leader ? 3 : lab[2].Role == Role.Leader ? 2 : 0, new[] { 2, 3 });
    }

    [Fact]
    public void WhoIsFitSucceeds()
    {
        var lab = new Lab(3);
        lab.Elect(1);
        lab[2].IsUnfit = true;
        lab.Advance(200);
        Assert.True(lab[1].DescribePeers().Single(peer => peer.Id == new NodeId(2)).IsUnfit);
        Assert.True(lab[1].TransferLeadership(NodeId.None, lab.NowMs));
        lab.Settle();
        Assert.Equal(3, lab.Leader());

        // Where nobody is fit somebody leads all the same.
        lab[1].IsUnfit = true;
        lab.Advance(200);
        Assert.True(lab[3].TransferLeadership(NodeId.None, lab.NowMs));
    }

    private static void Hang(Lab lab, int id)
    {
        lab.StuckDisks.Add(id);
        lab[id].LogHangs = true;
    }

    private static void Commits(Lab lab, int leader)
    {
        LogIndex before = lab[leader].CommitIndex;
        lab.Propose(leader);
        lab.Settle();
        Assert.True(lab[leader].CommitIndex > before);
    }
}
