using RaftQueue.Simulation;

namespace RaftQueue.Runtime.Tests;

/// <summary>A follower whose log's disk hangs while its loops answer.</summary>
public sealed class HungFollowerTests
{
    [Fact]
    public void AMajorityThatCanCommitIsNotKeptWaitingByALeaderThatOnlyHungNodesAnswer()
    {
        var cluster = new SimulatedCluster(5, 1, seed: 33);
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        cluster.Enqueue(leader, "work", "1");
        List<SimulatedNode> others = cluster.Nodes.FindAll(node => node != leader);
        others[0].Loops!.Hold("log", long.MaxValue);
        foreach (SimulatedNode away in others[2..])
        {
            cluster.Network.Cut(leader.Id, away.Id);
            cluster.Network.Cut(away.Id, leader.Id);
        }

        // It is written by the leader and one other: two of five.
        ValueTask<CommandOutcome> open = cluster.EnqueueAsync(leader, "work", "2");
        cluster.RunUntil(() => cluster.Leader() is { } now && others[1..].Contains(now), "one of the three leads", 10_000);
        Assert.Equal(OutcomeKind.Applied, cluster.Enqueue(others[2], "work", "3").Kind);
        cluster.Await(open, "the first leader's request ends");
    }
}
