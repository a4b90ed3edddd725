using RaftQueue.Pages;
using RaftQueue.Primitives;
using RaftQueue.Simulation;
using RaftQueue.TestKit;

namespace RaftQueue.Runtime.Tests;

/// <summary>A node that reads its checkpoint for a peer meets damage, gets those pages back from others, and goes on.</summary>
public sealed class PageMendingTests
{
    private const string Checkpoint = "/data/shard-0/checkpoint";
    private const string Mark = "/data/shard-0/damaged";

    [Fact]
    public void DamageMetWhileSendingIsMended()
    {
        SimulatedCluster cluster = Loaded(81);
        (SimulatedNode leader, SimulatedNode sender, SimulatedNode receiver) = Roles(cluster);
        int flipped = Spoil(sender.Disk);
        long before = cluster.Network.TransferBytes;
        cluster.Start(receiver);
        cluster.RunUntil(() => receiver.Node!.IsReady && receiver.Node.Status().Shards[0].AppliedIndex > LogIndex.Zero, "the empty node has the state", 60_000);
        cluster.RunUntil(() => CheckpointCheck.Check(sender.Disk, Checkpoint, _ => { }).IsClean, "the sender's pages are whole", 60_000, everyMs: 50);
        Assert.True(sender.Node is not null && !sender.Node.Completion.IsCompleted, "it went on meanwhile");
        Assert.Contains("read for a peer, checkpoint damaged", cluster.History, StringComparison.Ordinal);
        Assert.InRange(cluster.Network.TransferBytes - before, 1, (48 + (2 * flipped)) * 200_000);

        // It has not looked at all pages: a checkpoint that it writes since takes over what is damaged. The next start reads all, finds nothing,
        // and says so by taking the mark away.
        LogIndex written = sender.Node!.Status().Shards[0].Checkpoint.Index;
        Load(cluster, 10);
        Assert.NotEqual(written, sender.Node!.Status().Shards[0].Checkpoint.Index);
        Assert.True(sender.Disk.FileExists(Mark));
        cluster.Crash(sender, CrashMode.PowerLoss);
        cluster.Start(sender);
        Assert.False(sender.Disk.FileExists(Mark));
        Assert.DoesNotContain("no checkpoint is whole", cluster.History, StringComparison.Ordinal);
        cluster.RunUntil(() => cluster.Nodes.TrueForAll(node => node.Node!.IsReady), "all are ready", 60_000);
        cluster.AwaitSameState();
    }

    /// <summary>What GET /v1/cluster of the sender shows meanwhile, and that pages which came together are synced together.</summary>
    [Fact]
    public void HowFarItIsIsShownAndTheDiskSyncsOnceForManyPages()
    {
        SimulatedCluster cluster = Loaded(83);
        (SimulatedNode leader, SimulatedNode sender, SimulatedNode receiver) = Roles(cluster);
        int flipped = Spoil(sender.Disk);
        cluster.Network.Cut(sender.Id, leader.Id);
        cluster.Start(receiver);
        cluster.RunUntil(() => sender.Node!.Status().Shards[0].Mending is { Phase: "waiting" }, "it met damage, and nobody has those pages now", 60_000);
        cluster.RunUntil(() => receiver.Node!.Status().Shards[0].Transfer is null && receiver.Node.IsReady, "the receiver has them from the leader", 60_000);
        int syncs = 0;
        var seen = new List<MendingStatus>();
        cluster.AfterStep = () =>
        {
            if (sender.Node!.Status().Shards[0].Mending is { } status && (seen.Count == 0 || seen[^1] != status)) seen.Add(status);
        };
        sender.Disk.OnOperation = (operation, path) => syncs += operation == DiskOperation.DataSync && path == Checkpoint ? 1 : 0;
        cluster.Network.Heal();
        cluster.RunUntil(() => sender.Node!.Status().Shards[0] is { Mending: null, Checkpoint.MendedPages: > 0 }, "all are whole again", 60_000);
        Assert.Contains(seen, status => status is { Phase: "fetching", From.Value: > 0 });
        Assert.All(seen, status => Assert.InRange(status.PagesDone, 0, status.PagesNeeded));
        long mended = sender.Node!.Status().Shards[0].Checkpoint.MendedPages;
        Assert.InRange(mended, 15, flipped);
        Assert.Equal(mended, seen.Max(status => status.PagesNeeded));
        Assert.InRange(syncs, 1, 4);
        cluster.Crash(sender, CrashMode.PowerLoss);
        Assert.True(CheckpointCheck.Check(sender.Disk, Checkpoint, _ => { }).DamageCount <= flipped - mended);
    }

    /// <summary>The name of the mark finds no room at first: it is tried again, and what is damaged is mended meanwhile.</summary>
    [Fact]
    public void AMarkThatFindsNoRoomIsMadeLater()
    {
        SimulatedCluster cluster = Loaded(84);
        (_, SimulatedNode sender, SimulatedNode receiver) = Roles(cluster);
        Spoil(sender.Disk);
        int refused = 0;
        sender.Disk.OnOperation = (operation, path) =>
        {
            if (operation == DiskOperation.Create && path == Mark && refused++ < 2) throw new DiskException("open", path, 28);
        };
        cluster.Start(receiver);
        cluster.RunUntil(() => CheckpointCheck.Check(sender.Disk, Checkpoint, _ => { }).IsClean, "the sender's pages are whole", 60_000, everyMs: 50);
        cluster.RunUntil(() => sender.Disk.FileExists(Mark), "it is marked", 60_000);
        Assert.Equal(3, refused);
        Assert.Contains("/data/shard-0/damaged cannot be made, the disk is full", cluster.History, StringComparison.Ordinal);
        Assert.False(sender.Node!.Completion.IsCompleted);
    }

    /// <summary>Who has the pages cannot be reached: the sender keeps what it has, marked, and mends it when it can.</summary>
    [Fact]
    public void WhatNobodyHasNowIsMendedLater()
    {
        SimulatedCluster cluster = Loaded(82);
        (SimulatedNode leader, SimulatedNode sender, SimulatedNode receiver) = Roles(cluster);
        Spoil(sender.Disk);
        cluster.Network.Cut(sender.Id, leader.Id);
        cluster.Start(receiver);
        cluster.RunUntil(() => sender.Disk.FileExists(Mark), "it meets the damage", 60_000);
        cluster.RunFor(3_000);
        Assert.False(CheckpointCheck.Check(sender.Disk, Checkpoint, _ => { }).IsClean);
        Assert.False(sender.Node!.Completion.IsCompleted);
        cluster.Network.Heal();
        cluster.RunUntil(() => CheckpointCheck.Check(sender.Disk, Checkpoint, _ => { }).IsClean, "the sender's pages are whole", 60_000, everyMs: 50);
        Assert.True(sender.Disk.FileExists(Mark));
        cluster.RunUntil(() => cluster.Nodes.TrueForAll(node => node.Node!.IsReady), "all are ready", 60_000);
        cluster.AwaitSameState();
    }

    /// <summary>The receiver is down and has an empty disk; it asks the sender first, because that one does not lead.</summary>
    private static (SimulatedNode Leader, SimulatedNode Sender, SimulatedNode Receiver) Roles(SimulatedCluster cluster)
    {
        SimulatedNode leader = cluster.AwaitLeader();
        SimulatedNode sender = cluster.Nodes.Find(node => node != leader)!;
        SimulatedNode receiver = cluster.Nodes.Find(node => node != leader && node != sender)!;
        cluster.Crash(receiver, CrashMode.PowerLoss);
        cluster.Wipe(receiver);
        return (leader, sender, receiver);
    }

    /// <summary>A bit of each tenth slot that holds nothing but payload: of pages that nobody but a peer reads now.</summary>
    private static int Spoil(FakeDisk disk)
    {
        byte[] content = disk.ReadAll(Checkpoint);
        int payloads = 0;
        int flipped = 0;
        for (int offset = 8192; offset + 4096 <= content.Length; offset += 4096)
        {
            if (content.AsSpan(offset + 512, 3000).IndexOfAnyExcept((byte)'x') >= 0 || payloads++ % 10 != 0) continue;
            disk.FlipBit(Checkpoint, offset + 1000, 3);
            flipped++;
        }

        Assert.InRange(flipped, 20, 1_000);
        return flipped;
    }

    private static SimulatedCluster Loaded(ulong seed)
    {
        var cluster = new SimulatedCluster(3, 1, seed, options => options with { CheckpointLogMiB = 1 });
        cluster.StartAll();
        Load(cluster, 24);
        cluster.AwaitSameState();
        return cluster;
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
