using RaftQueue.Checkers;

namespace RaftQueue.Simulation.Tests;

/// <summary>Who leads with a log that is stuck is known from the simulation; here nobody gets the time to make way.</summary>
public sealed class LeaderWatchTests : IDisposable
{
    private const long TooLongMicroseconds = 401_000;

    private readonly SimulatedCluster _cluster = new(3, 1, seed: 64);
    private readonly LeaderWatch _watch;

    public LeaderWatchTests()
    {
        _watch = new LeaderWatch(_cluster);
        _cluster.StartAll();
        _cluster.Enqueue(_cluster.AwaitLeader(), "work", "0");
        _cluster.AwaitSameState();
    }

    private SimulatedNode Leader => _cluster.AwaitLeader();

    private long Now => _cluster.Clock.MonotonicMicroseconds;

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public void ALeaderWhoseLogHangsIsNoneWhileAnotherDiskStores()
    {
        HangLogAndEnqueue(Leader);
        Look(Now);
        Look(Now + TooLongMicroseconds - 2_000);
        var violated = Assert.Throws<PropertyViolatedException>(() => Look(Now + TooLongMicroseconds));
        Assert.Equal("P11", violated.Property);
        Assert.Contains("after its disk or its apply stood still", violated.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WithNothingToStoreItLeadsOn()
    {
        Leader.Loops!.Hold(Loop.Log, Leader.Clock.ToOwn(Now + 5_000_000));
        Look(Now);
        Look(Now + TooLongMicroseconds);
    }

    [Fact]
    public void WhereNoOtherDiskStoresItLeadsOn()
    {
        foreach (SimulatedNode other in _cluster.Nodes.Where(node => node != Leader)) other.Loops!.Hold(Loop.Log, other.Clock.ToOwn(Now + 5_000_000));
        HangLogAndEnqueue(Leader);
        Look(Now);
        Look(Now + TooLongMicroseconds);
    }

    [Fact]
    public void WhereNobodyIsReachedItLeadsOnUntilItKnows()
    {
        HangLogAndEnqueue(Leader);
        Look(Now);
        _cluster.Network.Isolate(Leader.Id);
        Look(Now + TooLongMicroseconds);
    }

    private void HangLogAndEnqueue(SimulatedNode leader)
    {
        leader.Loops!.Hold(Loop.Log, leader.Clock.ToOwn(Now + 5_000_000));
        Task<Runtime.CommandOutcome> open = _cluster.EnqueueAsync(leader, "work", "1").AsTask();
        _cluster.RunFor(20);
        Assert.False(open.IsFaulted);
        Assert.Same(leader, _cluster.Leader());
    }

    private void Look(long nowMicroseconds) => _watch.Look(Leader, Leader.Node!, nowMicroseconds);
}
