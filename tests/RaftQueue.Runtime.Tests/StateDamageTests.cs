using RaftQueue.Pages;
using RaftQueue.Simulation;
using RaftQueue.TestKit;

namespace RaftQueue.Runtime.Tests;

/// <summary>Pages of the state that cannot be read back as they were written, while the node runs and reads them on demand.</summary>
public sealed class StateDamageTests
{
    private const string Checkpoint = "/data/shard-0/checkpoint";
    private const string Mark = "/data/shard-0/damaged";

    [Fact]
    public async Task ANodeThatReadsADamagedPageStopsAndComesBackWithAPeersState()
    {
        SimulatedCluster cluster = WithCheckpoints(seed: 61);
        SimulatedNode victim = cluster.Nodes.Find(node => node != cluster.AwaitLeader())!;
        long length = victim.Disk.ReadAll(Checkpoint).Length;
        for (long offset = 8192; offset < length; offset += 4096) victim.Disk.FlipBit(Checkpoint, offset + 100, 3);
        CheckpointDamagedException stopped = Assert.Throws<CheckpointDamagedException>(() => Load(cluster, 40));
        Assert.NotNull(stopped.Damage.Page);
        Assert.True(victim.Node!.Completion.IsCompleted);
        Assert.Same(stopped, await victim.Node.Completion);
        Assert.Contains("a page of the state cannot be read; this node stops", cluster.History, StringComparison.Ordinal);
        Assert.True(victim.Disk.FileExists(Mark));

        cluster.Crash(victim, CrashMode.PowerLoss);
        cluster.Start(victim);
        Assert.Contains("no checkpoint is whole; what is damaged comes from a peer", cluster.History, StringComparison.Ordinal);
        cluster.RunUntil(() => victim.Node!.IsReady, "the damaged node is repaired");
        Load(cluster, 3);
        cluster.AwaitSameState();
        Assert.False(victim.Disk.FileExists(Mark));
    }

    [Fact]
    public void ADamagedPageOfTheNewestCheckpointSendsTheNodeBackToTheOneBefore()
    {
        SimulatedCluster cluster = WithCheckpoints(seed: 62);
        SimulatedNode victim = cluster.Nodes.Find(node => node != cluster.AwaitLeader())!;
        cluster.Crash(victim, CrashMode.ProcessDeath);
        DamageWhatOnlyTheNewestHas(victim.Disk);
        cluster.Start(victim); // reads the page of the queue, which is damaged, and then all pages
        Assert.Contains("checkpoint damaged", cluster.History, StringComparison.Ordinal);
        Assert.True(victim.Disk.FileExists(Mark), "until a checkpoint is known to be whole");
        cluster.RunUntil(() => victim.Node!.IsReady, "the node is back");
        Assert.DoesNotContain("installed", cluster.History, StringComparison.Ordinal);
        cluster.AwaitSameState();
        Load(cluster, 20);
        Assert.False(victim.Disk.FileExists(Mark));
        cluster.AwaitSameState();
    }

    [Fact]
    public void WhateverPageIsDamagedTheNodeStarts()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 64, options => options with { CheckpointLogMiB = 1 });
        cluster.StartAll();
        string big = $"\"{new string('x', 150_000)}\"";
        for (int i = 0; i < 9; i++)
        {
            cluster.Await(cluster.EnqueueAsync(cluster.AwaitLeader(), "work", big, delayMs: 60_000 + i), "an enqueue");
            cluster.RunFor(1_500);
        }

        SimulatedNode victim = cluster.Nodes.Find(node => node != cluster.AwaitLeader())!;
        cluster.Crash(victim, CrashMode.ProcessDeath);
        byte[] content = victim.Disk.ReadAll(Checkpoint);
        int tried = 0;
        for (int offset = 8192; offset < content.Length; offset += 4096)
        {
            // Neither what is free nor the payloads.
            ReadOnlySpan<byte> slot = content.AsSpan(offset, 4096);
            if (slot.IndexOfAnyExcept((byte)0) < 0 || slot.IndexOf("xxxxxxxx"u8) >= 0) continue;
            tried++;
            victim.Disk.FlipBit(Checkpoint, offset + 100, 3);
            cluster.Start(victim);
            cluster.Crash(victim, CrashMode.ProcessDeath);
            victim.Disk.FlipBit(Checkpoint, offset + 100, 3);
            victim.Disk.Delete(Mark);
        }

        Assert.InRange(tried, 8, 100);
    }

    [Fact]
    public void EverySimulatedNodeEvictsAndReadsBack()
    {
        SimulatedCluster cluster = WithCheckpoints(seed: 63);
        foreach (SimulatedNode node in cluster.Nodes)
        {
            PageCounters pages = node.Node!.Status().Shards[0].Pages;
            Assert.True(pages.Evictions > 0 && pages.ColdReads > 0 && pages.EvictionWrites > 0, $"{pages}");
            Assert.InRange(pages.ResidentPages, 1, 24);
        }
    }

    private static SimulatedCluster WithCheckpoints(ulong seed)
    {
        var cluster = new SimulatedCluster(3, 1, seed, options => options with { CheckpointLogMiB = 1 });
        cluster.StartAll();
        Load(cluster, 24);
        cluster.AwaitSameState();
        return cluster;
    }

    private static void Load(SimulatedCluster cluster, int enqueues)
    {
        string big = $"\"{new string('x', 200_000)}\"";
        for (int i = 0; i < enqueues; i++)
        {
            cluster.Enqueue(cluster.AwaitLeader(), "work", big);
            cluster.Await(cluster.LeaseAsync(cluster.AwaitLeader(), "work", 1, 0), "a lease");
            cluster.RunFor(300);
        }
    }

    /// <summary>Flips a bit in every slot that the newest checkpoint uses and the one before does not, but for the table's and the root page's.</summary>
    private static void DamageWhatOnlyTheNewestHas(FakeDisk disk)
    {
        var wanted = new List<long>();
        long length = disk.ReadAll(Checkpoint).Length;
        for (long offset = 8192; offset < length; offset += 4096)
        {
            disk.FlipBit(Checkpoint, offset + 100, 3);
            CheckpointCheckReport report = CheckpointCheck.Check(disk, Checkpoint, _ => { });
            disk.FlipBit(Checkpoint, offset + 100, 3);
            long newest = report.Checkpoints.Max(info => info.Index.Value);
            if (report.Damage is [{ Page.Value: > 1 } only] && only.CheckpointIndex == newest) wanted.Add(offset);
        }

        Assert.NotEmpty(wanted);
        foreach (long offset in wanted) disk.FlipBit(Checkpoint, offset + 100, 3);
    }
}
