using System.Buffers.Binary;
using RaftQueue.Primitives;
using RaftQueue.Simulation;
using RaftQueue.Storage;
using RaftQueue.TestKit;

namespace RaftQueue.Runtime.Tests;

/// <summary>The offline check of a data directory, beyond checksums: what stands in it has to belong together.</summary>
public sealed class DirectoryCheckTests
{
    private const string Checkpoint = "/data/shard-0/checkpoint";

    [Fact]
    public void WhatANodeLeavesIsSound()
    {
        FakeDisk disk = Stopped();
        CheckReport report = DirectoryCheck.Check(disk, "/data", _ => { });
        Assert.Empty(report.Problems);
        Assert.Equal(2, report.Notes.Count(note => note.Contains("checkpoint at index", StringComparison.Ordinal)));
        Assert.True(Assert.Single(report.Logs).FirstIndex > new LogIndex(1));
    }

    [Fact]
    public void ALogThatBeginsBehindACheckpointThatIsGone()
    {
        FakeDisk disk = Stopped();
        disk.Delete(Checkpoint);
        Assert.Matches("^shard 0: the log begins at [0-9]+, and there is no checkpoint in front of it$", TheProblem(disk));
        Assert.False(disk.FileExists(Checkpoint));
    }

    [Fact]
    public void ALogThatBeginsBehindTheNewestCheckpoint()
    {
        FakeDisk disk = Stopped();
        byte[] early = Stopped(jobs: 6).ReadAll(Checkpoint);
        Replace(disk, Checkpoint, early);
        Assert.Matches("^shard 0: the log begins at [0-9]+, and the newest checkpoint ends at [0-9]+$", TheProblem(disk));
    }

    [Theory]
    [InlineData("damaged")]
    [InlineData("repair")]
    [InlineData("again-17")]
    public void AMarkThatSaysNotToTrustIt(string mark)
    {
        FakeDisk disk = Stopped();
        disk.Open($"/data/shard-0/{mark}", create: true).Dispose();
        Assert.StartsWith($"/data/shard-0/{mark}: ", TheProblem(disk), StringComparison.Ordinal);
    }

    [Fact]
    public void ATransferThatWasUnderWayIsNoProblem()
    {
        FakeDisk disk = Stopped();
        disk.Open(Checkpoint + ".fetching", create: true).Dispose();
        CheckReport report = DirectoryCheck.Check(disk, "/data", _ => { });
        Assert.Empty(report.Problems);
        Assert.Contains(report.Notes, note => note.Contains("a peer's checkpoint was being fetched", StringComparison.Ordinal));
    }

    /// <summary>Superblock and pages are whole, each by its checksum, and of two states.</summary>
    [Theory]
    [InlineData(12)] // the shard
    [InlineData(24)] // the index
    [InlineData(48)] // the state hash
    public void ASuperblockOfAnotherState(int field)
    {
        FakeDisk disk = Stopped();
        byte[] content = disk.ReadAll(Checkpoint);
        int place = BinaryPrimitives.ReadInt64LittleEndian(content.AsSpan(16)) > BinaryPrimitives.ReadInt64LittleEndian(content.AsSpan(4096 + 16)) ? 0 : 4096;
        content[place + field] ^= 1;
        uint crc = Crc32C.Compute(content.AsSpan(place, 4092));
        BinaryPrimitives.WriteUInt32LittleEndian(content.AsSpan(place + 4092), crc);
        Replace(disk, Checkpoint, content);
        Assert.Contains("it is not the state that the superblock tells of", TheProblem(disk), StringComparison.Ordinal);
    }

    private static string TheProblem(FakeDisk disk) => Assert.Single(DirectoryCheck.Check(disk, "/data", _ => { }).Problems);

    private static void Replace(FakeDisk disk, string path, byte[] content)
    {
        disk.Delete(path);
        using IDiskFile file = disk.Open(path, create: true);
        file.WriteAt(0, content);
        file.DataSync();
    }

    /// <summary>The disk of a node that has written checkpoints and is down.</summary>
    private static FakeDisk Stopped(int jobs = 24)
    {
        var cluster = new SimulatedCluster(1, 1, seed: 71, options => options with { CheckpointLogMiB = 1 });
        cluster.StartAll();
        string big = $"\"{new string('x', 200_000)}\"";
        for (int i = 0; i < jobs; i++)
        {
            cluster.Enqueue(cluster.AwaitLeader(), "work", big);
            cluster.RunFor(300);
        }

        SimulatedNode node = cluster.Nodes[0];
        cluster.Crash(node, CrashMode.ProcessDeath);
        return node.Disk;
    }
}
