using RaftQueue.Simulation;
using RaftQueue.TestKit;
using static RaftQueue.Runtime.Tests.PageRootTests;

namespace RaftQueue.Runtime.Tests;

/// <summary>Two of three differ, and the third cannot say who is right: they apply the log again from what a majority agreed on, once.</summary>
public sealed class DoubtTests
{
    private const string Directory = "/data/shard-0";

    [Theory]
    [InlineData(true)] // it is back, and needs a checkpoint that nobody in doubt gives
    [InlineData(false)]
    public void TheDoubtEndsWithTheLogAppliedAgain(bool thirdIsBack)
    {
        SimulatedCluster cluster = Started(seed: thirdIsBack ? 401UL : 402UL);
        (SimulatedNode leader, SimulatedNode wrong, SimulatedNode third) = Doubting(cluster);
        List<SimulatedNode> stopped = Stops(cluster);
        if (thirdIsBack) cluster.Start(third);
        cluster.RunFor(20_000);
        Assert.Empty(stopped);
        Assert.All(new[] { leader, wrong }, node =>
        {
            Assert.True(node.Node!.Status().Shards[0].InDoubt);
            Assert.False(node.Node.IsReady);
        });
        cluster.RunUntil(() => stopped.Count == 2, "both go back", 60_000);
        Assert.All(stopped, node => Assert.NotNull(AgainMark.Read(node.Disk, Directory)));
        foreach (SimulatedNode node in stopped) cluster.Start(node);
        cluster.RunUntil(() => cluster.Leader() is { } now && now.Node!.IsReady, "somebody leads", 60_000);
        Enqueue(cluster, "served again");
        if (!thirdIsBack) cluster.Start(third);
        cluster.RunUntil(() => cluster.Nodes.TrueForAll(node => node.Node!.IsReady), "all are ready, the third with their state", 120_000);
        for (int i = 0; i < 3; i++) UntilTheNextCheckpoint(cluster);
        cluster.AwaitSameState();
        Assert.Single(cluster.Nodes.Select(node => PageRootTests.Pages(node).ComputeRootHashInPlace()).Distinct());
        Assert.Equal(2, stopped.Count);
        Assert.All(cluster.Nodes, node => Assert.Null(AgainMark.Read(node.Disk, Directory)));
    }

    /// <summary>No accident: the same page comes out differently again. An operator has to look; nobody is served and nobody stops.</summary>
    [Fact]
    public void WhoDiffersAgainDoesNotGoBackAgain()
    {
        SimulatedCluster cluster = Started(seed: 403);
        (SimulatedNode leader, SimulatedNode wrong, _) = Doubting(cluster);
        List<SimulatedNode> stopped = Stops(cluster);
        cluster.RunUntil(() => stopped.Count == 2, "both go back", 60_000);
        cluster.Start(leader);
        cluster.Start(wrong);
        Flip(wrong, 1);
        cluster.RunUntil(() => InDoubt(leader) && InDoubt(wrong), "they differ again", 60_000);
        cluster.RunFor(200_000);
        Assert.Equal(2, stopped.Count);
        foreach (SimulatedNode node in new[] { leader, wrong }) AssertServesNobody(cluster, node);
        Assert.True(leader.Node!.Status().Shards[0].InDoubt);
    }

    /// <summary>Started again by somebody, a node tells of both checkpoints that it has, and knows again on which of them a majority agreed.</summary>
    [Fact]
    public void WhoIsStartedAgainInDoubtGoesBackToo()
    {
        SimulatedCluster cluster = Started(seed: 404);
        (SimulatedNode leader, SimulatedNode wrong, _) = Doubting(cluster);
        foreach (SimulatedNode node in new[] { leader, wrong })
        {
            cluster.Crash(node, CrashMode.ProcessDeath);
            cluster.Start(node);
        }

        cluster.RunUntil(() => InDoubt(leader) && InDoubt(wrong), "they are in doubt again", 60_000);
        List<SimulatedNode> stopped = Stops(cluster);
        cluster.RunUntil(() => stopped.Count == 2, "both go back", 60_000);
        foreach (SimulatedNode node in stopped) cluster.Start(node);
        cluster.RunUntil(() => cluster.Leader() is { } now && now.Node!.IsReady, "somebody leads", 60_000);
        Enqueue(cluster, "served again");
    }

    private static List<SimulatedNode> Stops(SimulatedCluster cluster)
    {
        var stopped = new List<SimulatedNode>();
        cluster.NodeFailed = (node, exception) =>
        {
            Assert.Contains("its next start applies the log again", Assert.IsType<StateDivergedException>(exception).Message, StringComparison.Ordinal);
            stopped.Add(node);
            cluster.Crash(node, CrashMode.ProcessDeath);
            return true;
        };
        return stopped;
    }

    /// <summary>The third is down and behind the log, and of the two others one has a byte that the other has not.</summary>
    private static (SimulatedNode Leader, SimulatedNode Wrong, SimulatedNode Third) Doubting(SimulatedCluster cluster)
    {
        SimulatedNode leader = cluster.AwaitLeader();
        SimulatedNode third = cluster.Nodes.Find(node => node != leader)!;
        SimulatedNode wrong = cluster.Nodes.Find(node => node != leader && node != third)!;
        cluster.Crash(third, CrashMode.ProcessDeath);
        for (int i = 0; i < 4; i++) UntilTheNextCheckpoint(cluster);
        Flip(wrong, 1);
        UntilTheNextCheckpoint(cluster);
        cluster.RunUntil(() => InDoubt(leader) && InDoubt(wrong), "both are in doubt");
        return (leader, wrong, third);
    }
}
