using RaftQueue.Consensus;
using RaftQueue.Primitives;
using RaftQueue.Simulation;
using RaftQueue.TestKit;

namespace RaftQueue.Runtime.Tests;

/// <summary>A node whose checkpoints are damaged gives its log up and fetches everything: what it had acknowledged stays acknowledged meanwhile.</summary>
public sealed class GivenUpLogTests
{
    private const string CheckpointPath = "/data/shard-0/checkpoint";

    [Fact]
    public void ALeaderThatHasTheLogFromItsBeginningSendsIt()
    {
        var cluster = new SimulatedCluster(3, 1, 91, options => options with { CheckpointLogMiB = 1 });
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        SimulatedNode victim = cluster.Nodes.Find(node => node != leader)!;
        leader.Loops!.Hold("checkpoint", long.MaxValue);
        Load(cluster, 24);
        Assert.Same(leader, cluster.AwaitLeader());
        Spoil(cluster, victim);
        cluster.Start(victim);
        Assert.False(Raft(victim).CanVote);
        cluster.RunUntil(() => victim.Node!.IsReady && Raft(victim).CanVote, "the damaged node has everything again", 20_000);
        cluster.AwaitSameState();
    }

    [Fact]
    public void WhoDiesWhileItCatchesUpDoesNotVoteAfterwards()
    {
        var cluster = new SimulatedCluster(3, 1, 93, options => options with { CheckpointLogMiB = 20, WalSegmentBytes = 64 << 20 });
        cluster.StartAll();
        Load(cluster, 285);
        SimulatedNode leader = cluster.AwaitLeader();
        SimulatedNode victim = cluster.Nodes.Find(node => node != leader)!;
        LogIndex acknowledged = Raft(victim).LastIndex;
        Spoil(cluster, victim);
        cluster.Start(victim);
        DieOnTheWay(cluster, leader, victim);
        cluster.Start(victim);
        Assert.True(Raft(victim).LastIndex < acknowledged, "it died on the way");
        Assert.False(Raft(victim).CanVote);
        cluster.Network.Heal();
        cluster.RunUntil(() => Raft(victim).CanVote, "it has everything again", 20_000);
        Assert.True(Raft(victim).LastIndex >= acknowledged);
    }

    [Theory]
    [InlineData(CrashMode.ProcessDeath)]
    [InlineData(CrashMode.PowerLoss)]
    public void WhatWasAnsweredIsNotLost(CrashMode mode)
    {
        var cluster = new SimulatedCluster(3, 1, 93, options => options with { CheckpointLogMiB = 20, WalSegmentBytes = 64 << 20 });
        cluster.StartAll();
        Load(cluster, 280);
        SimulatedNode leader = cluster.AwaitLeader();
        SimulatedNode victim = cluster.Nodes.Find(node => node != leader)!;
        SimulatedNode other = cluster.Nodes.Find(node => node != leader && node != victim)!;
        cluster.Network.Isolate(other.Id);
        Load(cluster, 5);
        Spoil(cluster, victim);
        cluster.Start(victim);
        DieOnTheWay(cluster, leader, victim);
        cluster.Crash(leader, mode);
        cluster.Network.Heal();
        cluster.Start(victim);
        cluster.RunFor(5_000);
        Assert.DoesNotContain(new[] { victim, other }, node => Raft(node).Role == Role.Leader);
        cluster.Start(leader);
        cluster.RunUntil(() => cluster.Nodes.TrueForAll(node => node.Node!.IsReady), "all are ready", 30_000);
        cluster.AwaitSameState();
        Assert.Equal(285, victim.Node!.Parts.Applies[0].Store.JobCount);
    }

    /// <summary>The checkpoint is installed, some entries behind it are appended, and not all that it had before.</summary>
    private static void DieOnTheWay(SimulatedCluster cluster, SimulatedNode leader, SimulatedNode victim)
    {
        long checkpoint = leader.Node!.Parts.Applies[0].Link.NamedCheckpointIndex.Value;
        cluster.RunUntil(
            () => cluster.History.Contains(" installed, ", StringComparison.Ordinal) && Raft(victim).LastIndex.Value > checkpoint + 1,
            "it is on its way",
            60_000);
        cluster.Network.Isolate(victim.Id);
        cluster.RunFor(100);
        cluster.Crash(victim, CrashMode.ProcessDeath);
    }

    private static RaftNode Raft(SimulatedNode node) => node.Node!.Parts.Replica.Shards[0].Raft;

    private static void Spoil(SimulatedCluster cluster, SimulatedNode victim)
    {
        cluster.Crash(victim, CrashMode.ProcessDeath);
        long length = victim.Disk.ReadAll(CheckpointPath).Length;
        for (long offset = 8192; offset < length; offset += 4096) victim.Disk.FlipBit(CheckpointPath, offset + 100, 3);
        using IDiskFile mark = victim.Disk.Open("/data/shard-0/damaged", create: true);
        mark.DataSync();
        victim.Disk.SyncDirectory("/data/shard-0");
    }

    private static void Load(SimulatedCluster cluster, int jobs)
    {
        string big = $"\"{new string('x', 200_000)}\"";
        for (int i = 0; i < jobs; i++)
        {
            cluster.Enqueue(cluster.AwaitLeader(), "work", big);
            cluster.RunFor(300);
        }
    }
}
