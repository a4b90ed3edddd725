namespace RaftQueue.Simulation.Tests;

/// <summary>The runs that FsCheck makes: of every kind, the same for a replay number, and small when they fail.</summary>
public sealed class RunPropertyTests
{
    private const ulong Runs = 200;

    [Fact]
    public void AReplayNumberIsOneRun()
    {
        for (ulong replay = 1; replay <= 20; replay++) Assert.Equal(RunProperty.Draw(replay).ToText(), RunProperty.Draw(replay).ToText());
        Assert.Equal(20, Drawn(20).Select(run => run.ToText()).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void RunsOfEveryKindAreMade()
    {
        List<RunCase> drawn = [.. Drawn(Runs)];
        var kinds = drawn.SelectMany(run => run.Schedule.Events).GroupBy(fault => fault.Kind).ToDictionary(kind => kind.Key, kind => kind.Count());
        Assert.All(Enum.GetValues<FaultKind>(), kind => Assert.InRange(kinds.GetValueOrDefault(kind), 10, int.MaxValue));
        Assert.Equal([(3, 1), (3, 3), (5, 1), (5, 3)], drawn.Select(run => (run.Plan.Nodes, run.Plan.Shards)).Distinct().Order());
        Assert.InRange(drawn.Count(run => run.Plan.HealsMajorityFirst), 50, 150);
        Assert.InRange(drawn.Count(run => run.Schedule.Events.Count < 3), 1, 60);
        Assert.InRange(drawn.Max(run => run.Schedule.Events.Count), 60, 400);
        Assert.InRange(drawn.Count(run => run.Plan.Weather.LossPercent > 0), 60, 160);
        Assert.InRange(drawn.Select(run => run.Workload.ToString()).Distinct(StringComparer.Ordinal).Count(), 190, 200);
    }

    /// <summary>What no promise covers would make every failure of theirs worthless.</summary>
    [Fact]
    public void NoRunIsUnfair()
    {
        foreach (RunCase run in Drawn(Runs))
        {
            SeedPlan plan = run.Plan;
            Assert.True(plan.WrongClocks.Count * 2 < plan.Nodes && plan.WrongClocks.Distinct().Count() == plan.WrongClocks.Count);
            Assert.Equal(run.Schedule.Events.OrderBy(fault => fault.AtMs), run.Schedule.Events);
            foreach (FaultEvent fault in run.Schedule.Events)
            {
                Assert.True(Exists(fault.Node, plan) && (fault.Other == default || Exists(fault.Other, plan)), $"{fault}");
                Assert.True(fault.Kind != FaultKind.DriftClock || Math.Abs(fault.Amount) <= SeedPlan.MostDriftPpm, $"{fault}");
                bool wrong = fault.Kind == FaultKind.JumpWall && (!plan.WrongClocks.Contains(fault.Node.Number) || (fault.Amount > 0 && fault.Node.Number != plan.WrongClocks[0]));
                Assert.False(wrong, $"{fault}");
            }
        }
    }

    [Fact]
    public void WhatARunFileHoldsIsTheRun()
    {
        foreach (RunCase run in Drawn(20))
        {
            RunCase read = RunCase.Parse(run.ToText());
            Assert.Equal(run.ToText(), read.ToText());
            Assert.Equal(run.Schedule.Events, read.Schedule.Events);
        }
    }

    [Fact]
    public void SomeRunsBreakNothingAndGoTheSameWayAgain()
    {
        for (ulong replay = 101; replay <= 104; replay++)
        {
            SeedOutcome outcome = RunProperty.Judge(replay, 100, Assert.Fail);
            Assert.True(outcome.Passed, outcome.Failure);
            Assert.True(outcome.IsProperty);
            Assert.Equal(outcome.Hash, RunProperty.Judge(replay, 100, Assert.Fail).Hash);
        }
    }

    [Fact]
    public void WhatFailsIsMadeSmallByTheSameProperty()
    {
        int runs = 0;
        var verdict = new RunVerdict([new Finding("P1", "P1: lost", "")], "");
        var other = new RunVerdict([new Finding("P6", "P6: stale", "")], "");
        // Whatever has a wipe fails; whatever has none, but a power loss, fails in another way.
        RunVerdict Judge(RunCase run)
        {
            runs++;
            if (run.Schedule.Events.Any(fault => fault.Kind == FaultKind.Wipe)) return verdict;
            return run.Schedule.Events.Any(fault => fault.Kind == FaultKind.LosePower) ? other : RunVerdict.Passed;
        }

        ulong replay = Enumerable.Range(1, 200).Select(number => (ulong)number).First(number =>
            RunProperty.Draw(number).Schedule.Events is { Count: > 40 } events
            && events.Any(fault => fault.Kind == FaultKind.Wipe) && events.Any(fault => fault.Kind == FaultKind.LosePower));
        PropertyFailure failure = RunProperty.FindFailure(replay, 1_000, Judge)!;
        Assert.Equal(RunProperty.Draw(replay).ToText(), failure.First.ToText());
        Assert.Equal([FaultKind.Wipe], failure.Smallest.Schedule.Events.Select(fault => fault.Kind));
        Assert.Equal("P1", failure.Verdict.Property);
        Assert.Equal((3, 1, 1), (failure.Smallest.Plan.Nodes, failure.Smallest.Plan.Shards, failure.Smallest.Workload.Clients));
        Assert.InRange(runs, 10, 1_000);
        string told = failure.Told(replay, "/tmp/run.json");
        Assert.Contains($"--property 1 --replay {replay}", told, StringComparison.Ordinal);
        Assert.Contains("--schedule /tmp/run.json", told, StringComparison.Ordinal);
        runs = 0;
        RunProperty.FindFailure(replay, 7, Judge);
        Assert.Equal(7, runs);
    }

    private static IEnumerable<RunCase> Drawn(ulong count)
    {
        for (ulong replay = 1; replay <= count; replay++) yield return RunProperty.Draw(replay);
    }

    private static bool Exists(FaultTarget target, SeedPlan plan) =>
        target.IsLeader ? target.Number >= 0 && target.Number < plan.Shards : target.Number >= 1 && target.Number <= plan.Nodes;
}
