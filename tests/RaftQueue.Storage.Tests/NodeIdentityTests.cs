using RaftQueue.Primitives;
using RaftQueue.TestKit;

namespace RaftQueue.Storage.Tests;

public sealed class NodeIdentityTests
{
    private static readonly NodeIdentity Configured = new()
    {
        ClusterId = "main",
        NodeId = new NodeId(3),
        Shards = 2,
        Durability = "quorum-fsync",
    };

    [Fact]
    public void TheIncarnationStaysAndTheBootCounterRises()
    {
        var disk = new FakeDisk();
        NodeIdentity first = Open(disk, 1);
        Assert.False(first.Incarnation.IsNone);
        Assert.Equal(1, first.BootCounter);
        for (int boot = 2; boot < 12; boot++)
        {
            disk.Crash(boot % 2 == 0 ? CrashMode.PowerLoss : CrashMode.ProcessDeath);
            NodeIdentity next = Open(disk, (ulong)boot);
            Assert.Equal(first with { BootCounter = boot }, next);
        }
    }

    [Fact]
    public void ACrashAtAnyOperationNeverRepeatsABootCounterOrForgetsAVote()
    {
        for (long at = 1; at < 60; at++)
        {
            foreach (CrashMode mode in new[] { CrashMode.ProcessDeath, CrashMode.PowerLoss })
            {
                var disk = new FakeDisk((ulong)at);
                long seen = 0;
                Incarnation incarnation = default;
                disk.CrashAtOperation = at;
                try
                {
                    for (int boot = 0; boot < 4; boot++)
                    {
                        NodeIdentity identity = Open(disk, 9);
                        Assert.True(identity.BootCounter > seen);
                        seen = identity.BootCounter;
                        incarnation = identity.Incarnation;
                    }
                }
                catch (SimulatedCrashException)
                {
                    disk.Crash(mode);
                }

                disk.CrashAtOperation = null;
                NodeIdentity after = Open(disk, 9);
                Assert.True(after.BootCounter > seen, $"crash at {at}, {mode}");
                if (seen > 0) Assert.Equal(incarnation, after.Incarnation);
                using var wal = WriteAheadLog.Open(disk, new FakeClock(), "/node", new WalOptions { SegmentBytes = 65536, Shards = 2 });
                Assert.NotNull(wal.Recovered(new ShardId(1)).HardState);
            }
        }
    }

    [Fact]
    public void AnotherNodesDirectoryIsRefusedAndTheSettingNamed()
    {
        var disk = new FakeDisk();
        Open(disk, 1);
        Assert.Contains("ClusterId", Refused(disk, Configured with { ClusterId = "other" }), StringComparison.Ordinal);
        Assert.Contains("NodeId", Refused(disk, Configured with { NodeId = new NodeId(1) }), StringComparison.Ordinal);
        Assert.Contains("Shards", Refused(disk, Configured with { Shards = 1 }), StringComparison.Ordinal);
        using NodeIdentityFile changed = NodeIdentityFile.Open(
            disk, "/node", Configured with { Durability = "quorum-memory" }, new SplitMix64(1));
        Assert.Equal("quorum-memory", changed.Identity.Durability);
    }

    [Fact]
    public void EveryFlippedBitIsSeen()
    {
        var disk = new FakeDisk();
        Open(disk, 1);
        int length = disk.ReadAll("/node/identity").Length;
        for (int bit = 0; bit < length * 8; bit++)
        {
            disk.FlipBit("/node/identity", bit / 8, bit % 8);
            Assert.Throws<StorageDamagedException>(() => Open(disk, 1));
            disk.FlipBit("/node/identity", bit / 8, bit % 8);
        }

        Assert.Equal(2, Open(disk, 1).BootCounter);
    }

    [Fact]
    public void ALogWithoutItsIdentityIsNotTakenOver()
    {
        var disk = new FakeDisk();
        Open(disk, 1);
        WriteAheadLog.Open(disk, new FakeClock(), "/node", new WalOptions { SegmentBytes = 65536, Shards = 2 }).Dispose();
        disk.Delete("/node/identity");
        Assert.Throws<StorageDamagedException>(() => Open(disk, 1));
    }

    [Fact]
    public void AWipedHardStateUnderAnOldIdentityMeansNoVote()
    {
        var disk = new FakeDisk();
        Open(disk, 1);
        disk.Delete("/node/hardstate-a");
        disk.Delete("/node/hardstate-b");
        using var wal = WriteAheadLog.Open(disk, new FakeClock(), "/node", new WalOptions { SegmentBytes = 65536, Shards = 2 });
        Assert.Null(wal.Recovered(new ShardId(0)).HardState);
    }

    private static NodeIdentity Open(FakeDisk disk, ulong seed)
    {
        using NodeIdentityFile file = NodeIdentityFile.Open(disk, "/node", Configured, new SplitMix64(seed));
        return file.Identity;
    }

    private static string Refused(FakeDisk disk, NodeIdentity configured) =>
        Assert.Throws<NodeIdentityMismatchException>(() => NodeIdentityFile.Open(disk, "/node", configured, new SplitMix64(1))).Message;
}
