using RaftQueue.Checkers;
using RaftQueue.Consensus;
using RaftQueue.Primitives;
using RaftQueue.Runtime;

namespace RaftQueue.Simulation.Tests;

/// <summary>The apply loop of a node hangs or is slow.</summary>
public sealed class ApplyFaultTests
{
    [Fact]
    public void ALeaderWhoseApplyHangsMakesWayAndComesBack()
    {
        using var cluster = new SimulatedCluster(3, 1, seed: 71);
        cluster.StartAll();
        SimulatedNode hung = cluster.AwaitLeader();
        Hang(cluster, hung, 3_000);
        cluster.RunUntil(() => cluster.Leader() is { } leader && leader != hung, "another leads", 1_500);
        Assert.Equal("its apply loop is stuck", hung.Node!.Parts.Replica.Shards[0].Raft.LastStepDownReason);
        Assert.Equal(OutcomeKind.Applied, cluster.Enqueue(cluster.AwaitLeader(), "work", "1").Kind);
        cluster.RunFor(3_000);
        Assert.Null(hung.Loops!.StandsSince(Loop.Apply));
        Assert.Equal(0, hung.Node.Parts.Shared.ApplyBusySinceMicroseconds);
        cluster.AwaitSameState();
    }

    [Fact]
    public void WhoLeadsOnWithAHungApplyIsNoticed()
    {
        using var cluster = new SimulatedCluster(3, 1, seed: 72);
        cluster.StartAll();
        SimulatedNode hung = cluster.AwaitLeader();
        var watch = new LeaderWatch(cluster);
        cluster.AfterStep = () => watch.Look(hung, hung.Node!, cluster.Clock.MonotonicMicroseconds);
        Hang(cluster, hung, 3_000);
        // What a program does that does not look at its apply loop.
        NodeShared shared = hung.Node!.Parts.Shared;
        var violated = Assert.Throws<PropertyViolatedException>(() => cluster.RunUntil(
            () =>
            {
                shared.ApplyBusySinceMicroseconds = 0;
                return false;
            },
            "a judge",
            2_000));
        Assert.Contains("still leads", violated.Message, StringComparison.Ordinal);
    }

    /// <summary>As where all wait for one disk: whoever is elected stands still as well.</summary>
    [Fact]
    public void WhereTheAppliesOfAllHangTheLeaderStaysAndAnotherLeadsOnceOneMoves()
    {
        using var cluster = new SimulatedCluster(3, 1, seed: 74);
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        var watch = new LeaderWatch(cluster);
        cluster.AfterStep = () => watch.Look(leader, leader.Node!, cluster.Clock.MonotonicMicroseconds);
        ShardReplica replica = leader.Node!.Parts.Replica.Shards[0];
        Term term = replica.Raft.Term;
        List<SimulatedNode> others = cluster.Nodes.FindAll(node => node != leader);
        Hang(cluster, others[0], 9_000);
        Hang(cluster, others[1], 5_000);
        cluster.RunFor(120);
        Hang(cluster, leader, 9_000);
        cluster.RunFor(4_800);
        Assert.Equal((Role.Leader, term), (replica.Raft.Role, replica.Raft.Term));
        cluster.RunUntil(() => cluster.Leader() == others[1], "the one whose apply moves leads", 1_000);
        Assert.Equal("its apply loop is stuck", replica.Raft.LastStepDownReason);
        Assert.Equal(OutcomeKind.Applied, cluster.Enqueue(others[1], "work", "1").Kind);
    }

    /// <summary>The one that is not heard may only be cut off from the leader: the other, whose apply hangs too, would vote for it.</summary>
    [Fact]
    public void WhereTheOthersHangOrAreNotHeardTheLeaderGoesAfterAWhile()
    {
        using var cluster = new SimulatedCluster(3, 1, seed: 75);
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        ShardReplica replica = leader.Node!.Parts.Replica.Shards[0];
        List<SimulatedNode> others = cluster.Nodes.FindAll(node => node != leader);
        var watch = new LeaderWatch(cluster);
        cluster.AfterStep = () => watch.Look(leader, leader.Node!, cluster.Clock.MonotonicMicroseconds);
        Hang(cluster, others[0], 9_000);
        cluster.Network.Cut(leader.Id, others[1].Id);
        cluster.Network.Cut(others[1].Id, leader.Id);
        Hang(cluster, leader, 9_000);
        cluster.RunFor(2_900);
        Assert.Equal(Role.Leader, replica.Raft.Role);
        cluster.RunUntil(() => others[1].Node!.Parts.Replica.Shards[0].Raft.Role == Role.Leader, "the one that was not heard leads", 1_500);
        Assert.Equal("its apply loop is stuck", replica.Raft.LastStepDownReason);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void WhoLeadsOnThoughAnotherCouldIsNoticed(bool isSilent)
    {
        using var cluster = new SimulatedCluster(3, 1, seed: 76);
        cluster.StartAll();
        SimulatedNode hung = cluster.AwaitLeader();
        List<SimulatedNode> others = cluster.Nodes.FindAll(node => node != hung);
        var watch = new LeaderWatch(cluster);
        cluster.AfterStep = () => watch.Look(hung, hung.Node!, cluster.Clock.MonotonicMicroseconds);
        Hang(cluster, others[0], 9_000);
        if (isSilent) cluster.Network.Isolate(others[1].Id);
        else Hang(cluster, others[1], 2_000);
        cluster.RunFor(100);
        Hang(cluster, hung, 9_000);
        NodeShared shared = hung.Node!.Parts.Shared;
        long begin = cluster.Clock.MonotonicMicroseconds;
        var violated = Assert.Throws<PropertyViolatedException>(() => cluster.RunUntil(
            () =>
            {
                shared.ApplyBusySinceMicroseconds = 0;
                return false;
            },
            "a judge",
            6_000));
        Assert.Contains("still leads", violated.Message, StringComparison.Ordinal);
        Assert.InRange((cluster.Clock.MonotonicMicroseconds - begin) / 1000, isSilent ? 3_300 : 2_200, isSilent ? 3_900 : 2_600);
    }

    [Fact]
    public void SlowApplyOnAllNodesMovesNoLeader()
    {
        using var cluster = new SimulatedCluster(3, 1, seed: 73);
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        Term term = leader.Node!.Parts.Replica.Shards[0].Raft.Term;
        long end = cluster.Clock.MonotonicMicroseconds + 5_000_000;
        foreach (SimulatedNode node in cluster.Nodes) node.Loops!.Slow(Loop.Apply, 120_000, end);
        int answered = 0;
        while (cluster.Clock.MonotonicMicroseconds < end)
        {
            Assert.Equal(OutcomeKind.Applied, cluster.Enqueue(leader, "work", $"{answered++}").Kind);
        }

        // Each waits for slices of the apply loop that take their time.
        Assert.InRange(answered, 10, 60);
        Assert.Equal((Role.Leader, term), (leader.Node.Parts.Replica.Shards[0].Raft.Role, leader.Node.Parts.Replica.Shards[0].Raft.Term));
    }

    private static void Hang(SimulatedCluster cluster, SimulatedNode node, long ms) =>
        node.Loops!.Hold(Loop.Apply, cluster.Clock.MonotonicMicroseconds + (ms * 1000));
}
