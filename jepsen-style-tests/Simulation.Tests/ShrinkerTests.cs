namespace RaftQueue.Simulation.Tests;

/// <summary>A failing run is a value: its text gives the same run, and it becomes as small as its failure allows.</summary>
public sealed class ShrinkerTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(123_456_789)]
    public void ARunReadFromItsTextIsTheSame(ulong seed)
    {
        RunCase run = RunCase.Draw(seed);
        RunCase read = RunCase.Parse(run.ToText());
        Assert.Equal(run.ToText(), read.ToText());
        Assert.Equal(run.Schedule.Events, read.Schedule.Events);
        Assert.Equal(run.Plan.Weather, read.Plan.Weather);
        Assert.Equal(run.Plan.Weights, read.Plan.Weights);
    }

    [Fact]
    public void ARunReadFromItsTextGoesTheSameWay()
    {
        RunCase run = Short(5);
        using SeedRun first = run.Prepare();
        using SeedRun second = RunCase.Parse(run.ToText()).Prepare();
        first.Run();
        second.Run();
        Assert.Equal(first.Hash, second.Hash);
    }

    [Fact]
    public void OnlyWhatTheFailureNeedsIsLeft()
    {
        RunCase run = Large();
        FaultEvent one = run.Schedule.Events[3];
        FaultEvent other = run.Schedule.Events[^2];
        bool NeedsBoth(RunCase candidate) => Has(candidate, one) && Has(candidate, other);

        (RunCase smallest, int runs) = Shrinker.Reduce(run, NeedsBoth, 10_000);

        Assert.Equal(2, smallest.Schedule.Events.Count);
        Assert.True(NeedsBoth(smallest));
        Assert.Equal((1, 1), (smallest.Workload.Clients, smallest.Workload.Queues));
        Assert.Equal(0, smallest.Workload.BigPercent);
        Assert.Equal(new NetworkWeather(), smallest.Plan.Weather);
        Assert.True(smallest.Plan.DurationMs < run.Plan.DurationMs);
        Assert.InRange(runs, 1, 400);
    }

    [Fact]
    public void NodesAndShardsThatTheFailureNeedsStay()
    {
        RunCase run = Large();
        (RunCase smallest, _) = Shrinker.Reduce(run, candidate => candidate.Plan is { Nodes: 5, Shards: 3 }, 10_000);
        Assert.Empty(smallest.Schedule.Events);
        (smallest, _) = Shrinker.Reduce(run, static candidate => candidate.Schedule.Events.Count >= 1, 10_000);
        Assert.Equal((3, 1), (smallest.Plan.Nodes, smallest.Plan.Shards));
        Assert.Equal(1, smallest.Workload.Shards);
        Assert.All(smallest.Schedule.Events, fault => Assert.True(fault.Node.IsLeader ? fault.Node.Number == 0 : fault.Node.Number <= 3));
    }

    [Fact]
    public void ItStopsAfterSoManyRuns()
    {
        int judged = 0;
        (_, int runs) = Shrinker.Reduce(Large(), _ => ++judged > 0, 25);
        Assert.Equal((25, 25), (runs, judged));
    }

    private static bool Has(RunCase run, FaultEvent wanted) =>
        run.Schedule.Events.Any(fault => fault.AtMs == wanted.AtMs && fault.Kind == wanted.Kind && fault.Salt == wanted.Salt);

    private static RunCase Short(ulong seed)
    {
        RunCase run = RunCase.Draw(seed);
        return RunCase.Draw(seed, run.Plan with { DurationMs = 3_000, FaultGapMs = 200 });
    }

    /// <summary>Five nodes, three shards, and many faults of every kind.</summary>
    private static RunCase Large()
    {
        RunCase any = RunCase.Draw(11);
        SeedPlan plan = any.Plan with
        {
            Nodes = 5,
            Shards = 3,
            DurationMs = 20_000,
            FaultGapMs = 400,
            Weights = [.. Enum.GetValues<FaultPattern>().Select(pattern => (pattern, 1))],
            Weather = new NetworkWeather { LossPercent = 5, ReplayPercent = 5 },
        };
        return RunCase.Draw(11, plan) with { Workload = new Workload(3, 6, 4, 20, 10) };
    }
}
