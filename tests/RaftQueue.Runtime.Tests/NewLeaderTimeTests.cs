using RaftQueue.Primitives;
using RaftQueue.Simulation;

namespace RaftQueue.Runtime.Tests;

/// <summary>Of three clocks one is slow: with which time a new leader begins.</summary>
public sealed class NewLeaderTimeTests
{
    private const long SlowMs = -60_000;
    private const long SampleLifeMs = 10_000;

    private readonly SimulatedCluster _cluster = new(3, 1, seed: 31);
    private readonly SimulatedNode _slow;
    private readonly SimulatedNode _next;
    private readonly SimulatedNode _third;

    public NewLeaderTimeTests()
    {
        _cluster.StartAll();
        _slow = _cluster.AwaitLeader();
        _next = _cluster.Nodes.First(node => node != _slow);
        _third = _cluster.Nodes.Last(node => node != _slow);
        Assert.Equal(OutcomeKind.Applied, _cluster.Enqueue(_slow, "work", "1").Kind);
        _slow.Clock.WallOffsetMs = SlowMs;

        // What the followers once heard from each other is too old by now, and so is the newest stamp.
        _cluster.RunFor(2 * SampleLifeMs);
    }

    [Fact]
    public void AVoteThatComesAMomentLaterStillCounts()
    {
        _cluster.Network.Clog(_third.Id, _next.Id, _cluster.Clock.MonotonicMicroseconds + 5_000);
        HandOver();
        Assert.InRange(BehindMs(), 0, 100);
    }

    [Fact]
    public void AVoterThatIsConnectedAndSaysNothingIsAwaitedForAShortTimeOnly()
    {
        _cluster.Network.Cut(_third.Id, _next.Id);
        long before = _cluster.Clock.MonotonicMicroseconds;
        HandOver();
        Assert.Equal(OutcomeKind.Applied, _cluster.Enqueue(_next, "work", "2").Kind);
        Assert.InRange((_cluster.Clock.MonotonicMicroseconds - before) / 1000, 20, 40);

        // Nobody can say which of the two clocks is right.
        Assert.InRange(BehindMs(), SampleLifeMs, -SlowMs);
    }

    [Fact]
    public void WithAllVotersHeardNothingIsWaitedFor()
    {
        long before = _cluster.Clock.MonotonicMicroseconds;
        HandOver();
        Assert.Equal(OutcomeKind.Applied, _cluster.Enqueue(_next, "work", "2").Kind);
        Assert.InRange((_cluster.Clock.MonotonicMicroseconds - before) / 1000, 0, 10);
        Assert.InRange(BehindMs(), 0, 100);
    }

    private void HandOver()
    {
        _slow.Node!.Parts.Replica.Post(new HandOver(new ShardId(0), _next.Id));
        _cluster.RunUntil(() => Replica.Raft.LeaderReady, "the next node leads");
    }

    private long BehindMs() => _next.Clock.TrueUnixMs - Replica.Clock.NowMs;

    private ShardReplica Replica => _next.Node!.Parts.Replica.Shards[0];
}
