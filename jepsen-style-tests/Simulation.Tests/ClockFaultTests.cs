using RaftQueue.Consensus;
using RaftQueue.Primitives;
using RaftQueue.Runtime;
using RaftQueue.TestKit;

namespace RaftQueue.Simulation.Tests;

public sealed class ClockFaultTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(50_000)]
    [InlineData(-50_000)]
    [InlineData(37)]
    public void ADriftingClockRunsOnWithoutJumpsAndTellsWhenItWillShowATime(long ppm)
    {
        var shared = new FakeClock();
        var clock = new SimulatedClock(shared);
        var random = new SplitMix64(3);
        clock.Drift(-1_000);
        shared.AdvanceMicroseconds(1_234_567);
        long before = clock.MonotonicMicroseconds;
        clock.Drift(ppm);
        Assert.Equal(before, clock.MonotonicMicroseconds);
        for (int i = 0; i < 1_000; i++)
        {
            long wanted = clock.MonotonicMicroseconds + random.NextBelow(10_000_000);
            long at = clock.ToTrue(wanted);
            Assert.True(clock.ToOwn(at) >= wanted && clock.ToOwn(at - 1) < wanted);
            shared.AdvanceMicroseconds(random.NextBelow(10_000));
        }

        shared.AdvanceMicroseconds(100_000_000);
        Assert.InRange(clock.MonotonicMicroseconds - clock.ToOwn(shared.MonotonicMicroseconds - 100_000_000), 100_000_000 + (100 * ppm) - 1, 100_000_000 + (100 * ppm) + 1);
        Assert.Equal(ILoopBody.Never, clock.ToTrue(ILoopBody.Never));
    }

    /// <summary>Elections go by how long something takes, and clocks of different speeds agree about that well enough.</summary>
    [Fact]
    public void ClocksThatDriftDeposeNobody()
    {
        using var cluster = new SimulatedCluster(5, 1, seed: 51);
        for (int node = 1; node <= 5; node++) cluster[node].Clock.Drift((node - 3) * SeedPlan.MostDriftPpm / 2);
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        Term term = leader.Node!.Parts.Replica.Shards[0].Raft.Term;
        cluster.RunFor(30_000);
        Assert.Equal((Role.Leader, term), (leader.Node.Parts.Replica.Shards[0].Raft.Role, leader.Node.Parts.Replica.Shards[0].Raft.Term));

        // Its time follows the wall clocks, not its own speed.
        Assert.InRange(leader.Node.Parts.Replica.Shards[0].Clock.NowMs - leader.Clock.TrueUnixMs, -20, 20);
        Assert.Equal(OutcomeKind.Applied, cluster.Enqueue(cluster[1], "work", "1").Kind);
    }

    [Fact]
    public void OfTwoWrongClocksOfFiveTheSecondIsOnlyEverBehind()
    {
        int second = 0;
        for (ulong seed = 1; seed <= 60; seed++)
        {
            RunCase run = RunCase.Draw(seed);
            Assert.InRange(run.Plan.WrongClocks.Count, 1, run.Plan.Nodes / 2);
            Assert.Equal(run.Plan.WrongClocks.Count, run.Plan.WrongClocks.Distinct().Count());
            foreach (FaultEvent fault in run.Schedule.Events.Where(fault => fault.Kind == FaultKind.JumpWall))
            {
                Assert.Contains(fault.Node.Number, run.Plan.WrongClocks);
                if (fault.Node.Number == run.Plan.WrongClocks[0]) continue;
                second++;
                Assert.InRange(fault.Amount, long.MinValue, 0);
            }
        }

        Assert.NotEqual(0, second);
    }
}
