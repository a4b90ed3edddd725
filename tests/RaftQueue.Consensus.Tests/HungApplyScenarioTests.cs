using RaftQueue.Consensus.Tests.Support;
using RaftQueue.Primitives;

namespace RaftQueue.Consensus.Tests;

/// <summary>When a leader whose own apply stands still should go: <see cref="RaftNode.AnotherApplies"/>.</summary>
public sealed class HungApplyScenarioTests
{
    private const long TimeoutMs = 300;

    private readonly Lab _lab = new(3);

    public HungApplyScenarioTests()
    {
        _lab.Elect(1);
        _lab.Advance(200);
    }

    [Fact]
    public void WhereAllStandStillNobodyWouldDoBetterHoweverLongItLasts()
    {
        for (int id = 1; id <= 3; id++) Hang(id);
        _lab.Advance(20 * TimeoutMs);
        Assert.False(_lab[1].AnotherApplies(_lab.NowMs));

        // One goes on, and says so with its next answer.
        _lab[3].ApplyStuckSinceMs = null;
        _lab.Advance(60);
        Assert.True(_lab[1].AnotherApplies(_lab.NowMs));
    }

    [Fact]
    public void WhoMovesNowAndThenMoves()
    {
        Hang(1);
        Hang(2);
        _lab[3].ApplyStuckSinceMs = _lab.NowMs - 10;
        _lab.Advance(60);
        Assert.True(_lab[1].AnotherApplies(_lab.NowMs));
        _lab.Advance(60);
        Assert.False(_lab[1].AnotherApplies(_lab.NowMs));
    }

    [Fact]
    public void WhoHasNotAllThatIsCommittedIsBroughtItFirst()
    {
        Hang(1);
        Hang(2);
        _lab.StuckDisks.Add(3);
        _lab.Propose(1);
        _lab.Advance(100);
        Assert.Equal(_lab[1].LastIndex, _lab[1].CommitIndex);
        Assert.False(_lab[1].AnotherApplies(_lab.NowMs));
        _lab.StuckDisks.Remove(3);
        _lab.Advance(100);
        Assert.True(_lab[1].AnotherApplies(_lab.NowMs));
    }

    [Fact]
    public void WhoStoresNothingCouldNotStoreAVoteEither()
    {
        Hang(1);
        Hang(2);
        _lab.StuckDisks.Add(2);
        _lab.StuckDisks.Add(3);
        _lab.Propose(1);
        _lab.Advance(TimeoutMs);
        Assert.False(_lab[1].AnotherApplies(_lab.NowMs));
    }

    [Fact]
    public void AboutASilentVoterNothingIsKnownAndAfterALongTimeThatIsTried()
    {
        Hang(1);
        Hang(2);
        _lab.Isolate(3);
        _lab.Advance(9 * TimeoutMs);
        Assert.Equal((Role.Leader, false), (_lab[1].Role, _lab[1].AnotherApplies(_lab.NowMs)));
        _lab.Advance(2 * TimeoutMs);
        Assert.Equal((Role.Leader, true), (_lab[1].Role, _lab[1].AnotherApplies(_lab.NowMs)));
    }

    /// <summary>Answers of an older version tell only that a node should not lead.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WhoDoesNotSayCountsByWhetherItIsFit(bool unfit)
    {
        Hang(1);
        Hang(2);
        _lab.Cut(1, 3);
        _lab.Advance(TimeoutMs + 100);
        Assert.False(_lab[1].AnotherApplies(_lab.NowMs));
        _lab[1].Step(Answer(round: 1_000, stuckMs: null, unfit), _lab.NowMs);
        Assert.Equal(!unfit, _lab[1].AnotherApplies(_lab.NowMs));
    }

    [Fact]
    public void AnAnswerThatCameLateIsNoNews()
    {
        Hang(1);
        Hang(2);
        Hang(3);
        _lab.Advance(TimeoutMs);
        _lab[1].Step(Answer(round: 1, stuckMs: 0, unfit: false), _lab.NowMs);
        Assert.False(_lab[1].AnotherApplies(_lab.NowMs));
    }

    [Fact]
    public void WhoseApplyStandsStillDoesNotCampaignAfterAnElectionTimeout()
    {
        Hang(2);
        _lab.Isolate(1);
        _lab.StuckDisks.Add(3);
        Term term = _lab[2].Term;
        _lab.NowMs = Math.Max(_lab.NowMs + TimeoutMs + 1, _lab[2].NextDeadlineMs);
        _lab[2].Tick(_lab.NowMs);
        Assert.Equal((Role.Follower, term, true), (_lab[2].Role, _lab[2].Term, _lab[2].ApplyHangs));
    }

    private void Hang(int id) => _lab[id].ApplyStuckSinceMs = _lab.NowMs;

    private Message Answer(ulong round, long? stuckMs, bool unfit) => new()
    {
        Kind = MessageKind.HeartbeatReply,
        Shard = Entries.Shard,
        From = new NodeId(3),
        To = new NodeId(1),
        Term = _lab[1].Term,
        Context = round,
        Unfit = unfit,
        ApplyStuckMs = stuckMs,
        FromIncarnation = Entries.Member(3).Incarnation,
    };
}
