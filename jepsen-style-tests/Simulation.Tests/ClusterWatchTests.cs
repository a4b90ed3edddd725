namespace RaftQueue.Simulation.Tests;

public sealed class ClusterWatchTests
{
    /// <summary>A process that dies, or a disk that ends it in the middle of a slice, hides nothing of what was done in that step.</summary>
    [Fact]
    public void NoLifeEndsUnseen()
    {
        int ended = 0;
        for (ulong seed = 1; seed <= 3; seed++)
        {
            SeedPlan plan = SeedPlan.Draw(new RandomStreams(seed)) with
            {
                Nodes = 3,
                Shards = 1,
                DurationMs = 12_000,
                FaultGapMs = 250,
                Weights = [(FaultPattern.Die, 1), (FaultPattern.LosePower, 1), (FaultPattern.HangLog, 1)],
                WrongClocks = [1],
                Weather = new NetworkWeather(),
            };
            using SeedRun run = (RunCase.Draw(seed, plan) with { Workload = new Workload(1, 6, 2, 4, 0) }).Prepare();
            run.Run();
            Assert.Empty(run.Findings.All);
            Assert.Equal(0, run.Tally.LivesUnseen);
            ended += run.Tally.LivesEnded;
        }

        Assert.InRange(ended, 30, int.MaxValue);
    }
}
