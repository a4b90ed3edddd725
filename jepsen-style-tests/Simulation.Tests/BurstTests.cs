namespace RaftQueue.Simulation.Tests;

/// <summary>Runs in which more is due at once than one entry of the log may carry out.</summary>
public sealed class BurstTests
{
    [Fact]
    public void WhatAnEntryHasNotGotToIsMetByEveryKindOfCall()
    {
        SeedPlan plan = SeedPlan.Draw(new RandomStreams(Seed)) with { Nodes = 3, Shards = 1, DurationMs = 10_000, FaultGapMs = 60_000, Weather = new NetworkWeather(), MaxPendingBytes = 1 << 24 };
        Workload workload = new(1, 2, 2, 100, 0) { Burst = new Burst(AtMs: 2_000, Jobs: 1_900, DueMs: 1_200, LifeMs: 700, KeepMs: 600) };
        using SeedRun run = (RunCase.Draw(Seed, plan) with { Workload = workload }).Prepare();
        RunVerdict verdict = RunVerdict.Of(run);
        Assert.False(verdict.Failed, verdict.Failed ? $"{verdict.Headline}\n{verdict.Told()}" : "");
        Assert.True(run.Behind.Entries > 2, $"{run.Behind}");
        Assert.True(run.Behind.Leases > 0, $"{run.Behind}");
        Assert.True(run.Behind.Calls > 0, $"{run.Behind}");
        Assert.True(run.Behind.Keys > 0, $"{run.Behind}");
    }

    [Fact]
    public void SomeSeedsDrawOne()
    {
        List<RunCase> runs = [.. Enumerable.Range(1, 200).Select(seed => RunCase.Draw((ulong)seed))];
        Assert.InRange(runs.Count(run => run.Workload.Burst is not null), 6, 30);
        foreach (RunCase run in runs) Assert.Equal(run.Workload.Burst, RunCase.Parse(run.ToText()).Workload.Burst);
    }

    private const ulong Seed = 5;
}
