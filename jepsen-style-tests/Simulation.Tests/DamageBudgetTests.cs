using RaftQueue.TestKit;

namespace RaftQueue.Simulation.Tests;

public sealed class DamageBudgetTests
{
    [Fact]
    public void OneOfThreeMayBeDamagedAndTheNextOnlyWhenItIsWholeAgain()
    {
        using SimulatedCluster cluster = Settled(out DamageBudget budget);
        Assert.Null(budget.Refuses(cluster[1]));
        budget.Damage(cluster[1], DamagedParts.Log);
        Assert.NotNull(budget.Refuses(cluster[2]));
        Assert.False(budget.IsIntact(cluster[1]));

        budget.Observe();
        Assert.False(budget.IsIntact(cluster[1]));
        Restart(cluster, cluster[1], budget);
        Assert.True(budget.IsIntact(cluster[1]));
        Assert.Null(budget.Refuses(cluster[2]));
    }

    [Fact]
    public void DamageThatAStartDoesNotMeetStaysUntilTheDiskIsReplaced()
    {
        using SimulatedCluster cluster = Settled(out DamageBudget budget);
        budget.Damage(cluster[1], DamagedParts.Checkpoints);
        Restart(cluster, cluster[1], budget);
        Assert.False(budget.IsIntact(cluster[1]));
        Assert.NotNull(budget.Refuses(cluster[2]));

        cluster.Crash(cluster[1], CrashMode.PowerLoss);
        cluster.Wipe(cluster[1]);
        budget.Wiped(cluster[1]);
        cluster.Start(cluster[1]);
        cluster.RunUntil(() => budget.Refuses(cluster[2]) is null, "the new disk holds everything");
        Assert.True(budget.IsIntact(cluster[1]));
    }

    [Fact]
    public void NothingIsDamagedWhileAnotherIsDownOrBehind()
    {
        using SimulatedCluster cluster = Settled(out DamageBudget budget);
        SimulatedNode follower = cluster.Nodes.Find(node => node != cluster.Leader())!;
        SimulatedNode other = cluster.Nodes.Find(node => node != cluster.Leader() && node != follower)!;
        cluster.Crash(follower, CrashMode.ProcessDeath);
        Assert.NotNull(budget.Refuses(other));

        // What the leader knew to be committed counts also when the leader is gone.
        cluster.Start(follower);
        cluster.AwaitSameState();
        cluster.Network.Isolate(follower.Id);
        SimulatedNode leader = cluster.AwaitLeader();
        cluster.Enqueue(leader, "work", "only two have it");
        budget.Observe();
        cluster.Network.Heal();
        Assert.NotNull(budget.Refuses(other));
        cluster.AwaitSameState();
        Assert.Null(budget.Refuses(other));
    }

    private static SimulatedCluster Settled(out DamageBudget budget)
    {
        var cluster = new SimulatedCluster(3, 1, seed: 61);
        budget = new DamageBudget(cluster, shards: 1);
        cluster.StartAll();
        for (int i = 0; i < 5; i++) cluster.Enqueue(cluster.AwaitLeader(), "work", $"{i}");
        cluster.AwaitSameState();
        return cluster;
    }

    private static void Restart(SimulatedCluster cluster, SimulatedNode node, DamageBudget budget)
    {
        budget.Observe();
        cluster.Crash(node, CrashMode.ProcessDeath);
        cluster.Start(node);
        cluster.AwaitLeader();
        cluster.AwaitSameState();
        cluster.RunFor(500);
        budget.Observe();
    }
}
