namespace RaftQueue.Primitives.Tests;

public sealed class LoopMeterTests
{
    private readonly HandClock _clock = new();
    private readonly List<string> _lines = [];

    [Fact]
    public void ALongTurnIsToldWithWhatItWasSpentOn()
    {
        LoopMeter meter = Meter(null);
        meter.Begin(LoopPhase.Inputs);
        _clock.AdvanceMs(3);
        meter.Enter(LoopPhase.Applies);
        _clock.AdvanceMs(20);
        LoopPhase before = meter.Enter(LoopPhase.ColdPage);
        Assert.Equal((LoopPhase.Applies, LoopPhase.ColdPage), (before, meter.Phase));
        _clock.AdvanceMs(60);
        meter.Enter(before);
        _clock.AdvanceMs(10);
        meter.Enter(LoopPhase.ColdPage);
        _clock.AdvanceMs(50);
        meter.End();
        Assert.Equal(["the apply loop was away for 143 ms: ColdPage 110 Applies 30 Inputs 3"], _lines);
        Assert.Equal((60_000, 20_000, 0), (meter.Longest(LoopPhase.ColdPage), meter.Longest(LoopPhase.Applies), meter.Longest(LoopPhase.Evicts)));
    }

    [Fact]
    public void ManyShortTurnsAreNot()
    {
        LoopMeter meter = Meter(null);
        for (int i = 0; i < 100; i++)
        {
            meter.Begin(LoopPhase.Applies);
            _clock.AdvanceMs(99);
            meter.End();
        }

        Assert.Empty(_lines);
        Assert.Equal(99_000, meter.Longest(LoopPhase.Applies));
    }

    [Fact]
    public void AtMostOneLineASecondIsTold()
    {
        LoopMeter meter = Meter(null);
        for (int i = 0; i < 13; i++)
        {
            meter.Begin(LoopPhase.SyncsLog);
            _clock.AdvanceMs(250);
            meter.End();
        }

        Assert.Equal(4, _lines.Count);
        Assert.EndsWith("SyncsLog 250; 3 more since the last of these lines", _lines[1], StringComparison.Ordinal);
    }

    /// <summary>What was used is counted from a little before the turn: asking costs a call of the system.</summary>
    [Fact]
    public void WhatTheThreadUsedIsTold()
    {
        var used = new ThreadUsage(1_000_000, 5, 7, 50_000, 400_000);
        int asked = 0;
        LoopMeter meter = Meter(() =>
        {
            asked++;
            return used;
        });
        for (int i = 0; i < 10; i++)
        {
            meter.Begin(LoopPhase.Applies);
            meter.End();
            _clock.AdvanceMs(1);
        }

        Assert.Equal(1, asked);
        meter.Begin(LoopPhase.Applies);
        used = new ThreadUsage(1_030_000, 6, 9, 61_000, 520_000);
        _clock.AdvanceMs(200);
        meter.End();
        Assert.Equal(
            "the apply loop was away for 200 ms: Applies 200; in the last 210 ms it had a core for 30, lost it 2 times, compiled for 11, waited for "
            + "1 pages of memory from a disk, and the collector stopped all for 120",
            Assert.Single(_lines));
    }

    private LoopMeter Meter(Func<ThreadUsage>? usage) => new("apply", _clock, usage, _lines.Add);

    private sealed class HandClock : IClock
    {
        public long MonotonicMicroseconds { get; private set; } = 5_000_000;

        public long WallUnixMs => 0;

        public void AdvanceMs(long ms) => MonotonicMicroseconds += ms * 1000;
    }
}
