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
        var watch = new LeaderWatch();
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
