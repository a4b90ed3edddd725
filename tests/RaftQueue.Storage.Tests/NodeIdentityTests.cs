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
        byte[] content = disk.ReadAll("/node/identity");
        int text = content.AsSpan().LastIndexOf("crc32c="u8) + 20;
        foreach (int place in Enumerable.Range(0, text).Append(content.Length - 1))
        {
            for (int bit = 0; bit < 8; bit++)
            {
                Flip(place, bit);
                Assert.Throws<StorageDamagedException>(() => Open(disk, 1));
                Flip(place, bit);
            }
        }

        Assert.Equal(2, Open(disk, 1).BootCounter);

        void Flip(int place, int bit)
        {
            disk.FlipBit("/node/identity", place, bit);
            disk.FlipBit("/node/identity-copy", place, bit);
        }
    }

    [Theory]
    [InlineData("/node/identity")]
    [InlineData("/node/identity-copy")]
    public void OneBadCopyIsMadeGoodFromTheOtherAndNeverTheOtherWayRound(string bad)
    {
        string good = bad == "/node/identity" ? "/node/identity-copy" : "/node/identity";
        for (long at = 0; at < 6; at++)
        {
            var disk = new FakeDisk((ulong)at + 1);
            Incarnation incarnation = Open(disk, 1).Incarnation;
            disk.FlipBit(bad, 40, 2);
            disk.CrashAtOperation = disk.Operations + 1 + at;
            try
            {
                Open(disk, 1);
            }
            catch (SimulatedCrashException)
            {
                disk.Crash(CrashMode.PowerLoss);
            }

            disk.CrashAtOperation = null;
            Assert.Equal(incarnation, Open(disk, 1).Incarnation);
            Assert.Equal(disk.ReadAll(good), disk.ReadAll(bad));
        }
    }

    [Fact]
    public void AStartOfAnOldDirectoryTakesNoRoom()
    {
        var disk = new FakeDisk();
        Open(disk, 1);
        disk.CapacityBytes = 0;
        for (int boot = 2; boot < 8; boot++)
        {
            disk.Crash(boot % 2 == 0 ? CrashMode.PowerLoss : CrashMode.ProcessDeath);
            Assert.Equal(boot, Open(disk, (ulong)boot).BootCounter);
        }
    }

    [Fact]
    public void ALogWithoutItsIdentityIsNotTakenOver()
    {
        var disk = new FakeDisk();
        Open(disk, 1);
        WriteAheadLog.Open(disk, new FakeClock(), "/node", new WalOptions { SegmentBytes = 65536, Shards = 2 }).Dispose();
        disk.Delete("/node/identity");
        disk.Delete("/node/identity-copy");
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
