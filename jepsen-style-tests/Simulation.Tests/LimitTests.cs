using RaftQueue.Jobs;

namespace RaftQueue.Simulation.Tests;

/// <summary>Rooms that are small are full now and then, and whoever finds them full is told so.</summary>
public sealed class LimitTests
{
    [Fact]
    public void EveryWayToBeFullIsMet()
    {
        var refused = new HashSet<string>();
        for (ulong seed = 1; seed <= 3; seed++)
        {
            SeedPlan plan = SeedPlan.Draw(new RandomStreams(seed)) with
            {
                Nodes = 3,
                Shards = 1,
                DurationMs = 5_000,
                FaultGapMs = 2_000,
                Weights = [(FaultPattern.Die, 1), (FaultPattern.FullDisk, 1), (FaultPattern.HandOver, 1)],
                MaxPendingRequests = 3,
                MaxPendingBytes = 200_000,
                MaxLeaseWaiters = 1,
                MaxOpenReads = 1,
                MaxQueuedBytes = 300_000,
                Weather = new NetworkWeather(),
            };
            var settings = new ReplicatedSettings
            {
                MaxQueues = 3, MaxIdempotencyKeys = 5, StateHighWaterPages = 60, DefaultKeepMs = 2_000, IdempotencyWindowMs = 5_000,
            };
            RunCase run = RunCase.Draw(seed, plan) with { Workload = new Workload(1, 12, 5, 10, 20) { Settings = settings } };
            using SeedRun prepared = run.Prepare();
            RunVerdict verdict = RunVerdict.Of(prepared);
            Assert.False(verdict.Failed, verdict.Failed ? $"{verdict.Headline}\n{verdict.Told()}" : "");
            refused.UnionWith(prepared.History.Operations.Where(call => call.Refusal is not null).Select(call => call.Refusal!));
        }

        Assert.Superset(new HashSet<string> { "Overloaded", "StateFull", "TooManyQueues", "IdempotencyFull", "ReadUndecided" }, refused);
    }

    [Fact]
    public void LimitsAreDrawnAndReadBack()
    {
        List<RunCase> runs = [.. Enumerable.Range(1, 80).Select(seed => RunCase.Draw((ulong)seed))];
        Assert.Contains(runs, run => run.Plan.MaxPendingRequests < 100);
        Assert.Contains(runs, run => run.Plan.MaxPendingBytes < 1_000_000);
        Assert.Contains(runs, run => run.Plan.MaxLeaseWaiters < 100);
        Assert.Contains(runs, run => run.Plan.MaxOpenReads < 100);
        Assert.Contains(runs, run => run.Plan.MaxQueuedBytes < 10_000_000);
        Assert.Contains(runs, run => run.Workload.Settings.StateHighWaterPages > 0);
        Assert.Contains(runs, run => run.Workload.Settings.MaxIdempotencyKeys < 100);
        Assert.Contains(runs, run => run.Workload.Settings.MaxQueues < 5);
        foreach (RunCase run in runs)
        {
            RunCase read = RunCase.Parse(run.ToText());
            Assert.Equal((run.Plan.MaxPendingBytes, run.Plan.MaxLeaseWaiters, run.Plan.MaxOpenReads), (read.Plan.MaxPendingBytes, read.Plan.MaxLeaseWaiters, read.Plan.MaxOpenReads));
            Assert.Equal(run.Workload.Settings, read.Workload.Settings);
        }
    }

    /// <summary>A read that a client held and left keeps its room until its wait is over: the drain asks again.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void ReadsThatClientsLeftDoNotKeepTheDrainFromLooking(ulong seed)
    {
        RunCase drawn = RunCase.Draw(seed);
        SeedPlan plan = drawn.Plan with { Nodes = 3, Shards = 1, DurationMs = 3_000, MaxOpenReads = 1, HealsMajorityFirst = false, WrongClocks = [1], Weather = new NetworkWeather() };
        FaultEvent[] cuts = [.. Enumerable.Range(1, 3).Select(number =>
            new FaultEvent(2_990, FaultKind.CutClients, FaultTarget.Node(number), DurationMs: 10, Salt: 1))];
        using var run = new SeedRun(seed, plan, new FaultSchedule(cuts), new Workload(1, 7, 2, 5, 0));
        run.Run();
        Assert.Empty(run.Findings.All);
    }
}
