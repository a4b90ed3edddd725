using RaftQueue.Consensus;
using RaftQueue.Primitives;
using RaftQueue.Simulation;
using RaftQueue.TestKit;

namespace RaftQueue.Runtime.Tests;

public sealed class LeaderClockTests
{
    private static readonly MemberInfo[] Voters = [.. Enumerable.Range(1, 3).Select(id => new MemberInfo(new NodeId(id), new Incarnation((ulong)id), "peer", "http"))];

    private readonly FakeClock _true = new();
    private readonly SimulatedClock _own;
    private readonly LeaderClock _clock;

    public LeaderClockTests()
    {
        _own = new SimulatedClock(_true);
        _clock = new LeaderClock(_own);
    }

    [Fact]
    public void AfterAPauseItIsNotSlewedTowardTheOwnClockAlone()
    {
        OthersTell(0);
        _clock.Start(0, Voters);
        _own.WallOffsetMs = 60_000;
        _true.AdvanceTo(_true.MonotonicMicroseconds + 20_000_000);
        _clock.Slew(Voters);
        Assert.Equal(_true.WallUnixMs, _clock.NowMs);

        // With fresh samples the wrong clock is outvoted, and the pause does not count.
        OthersTell(0);
        _clock.Slew(Voters);
        Assert.Equal(_true.WallUnixMs, _clock.NowMs);
    }

    [Fact]
    public void ItIsSlewedByATenthTowardTheMedianOfAMajority()
    {
        OthersTell(0);
        _clock.Start(0, Voters);
        OthersTell(5_000);
        _true.AdvanceTo(_true.MonotonicMicroseconds + 1_000_000);
        _clock.Slew(Voters);
        Assert.Equal(_true.WallUnixMs + 100, _clock.NowMs);
    }

    [Fact]
    public void WhatAStrangerTellsDoesNotCount()
    {
        _own.WallOffsetMs = 1_000;
        _clock.Observe(new NodeId(8), _true.WallUnixMs + 90_000);
        _clock.Observe(new NodeId(9), _true.WallUnixMs + 90_000);
        _clock.Start(0, Voters);
        Assert.Equal(_true.WallUnixMs + 1_000, _clock.NowMs);
    }

    private void OthersTell(long aheadMs)
    {
        _clock.Observe(new NodeId(2), _true.WallUnixMs + aheadMs);
        _clock.Observe(new NodeId(3), _true.WallUnixMs + aheadMs);
    }
}
