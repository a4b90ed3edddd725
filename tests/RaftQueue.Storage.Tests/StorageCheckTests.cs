using RaftQueue.Primitives;
using RaftQueue.TestKit;

namespace RaftQueue.Storage.Tests;

public sealed class StorageCheckTests
{
    [Fact]
    public void ASoundDirectoryHasNoProblemsAndIsNotChanged()
    {
        WalFixture fixture = Node();
        long operations = fixture.Disk.Operations;
        var seen = new List<string>();
        CheckReport report = StorageCheck.Check(fixture.Disk, WalFixture.Directory, seen.Add);
        Assert.True(report.IsSound, string.Join('\n', report.Problems));
        Assert.Contains(report.Notes, note => note == "shard 0: entries 1 to 9 of term 1");
        Assert.Contains(report.Notes, note => note.Contains("node 1 of 'main'", StringComparison.Ordinal));
        Assert.Contains(seen, path => path == fixture.SegmentPath(1));
        Assert.Equal(operations, fixture.Disk.Operations);
    }

    [Fact]
    public void DamageIsNamedWithFileOffsetShardAndIndex()
    {
        WalFixture fixture = Node();
        byte[] segment = fixture.Disk.ReadAll(fixture.SegmentPath(1));
        int entry = segment.AsSpan().IndexOf(TestEntries.Make(0, 1, 5).Bytes.Span);
        fixture.Disk.FlipBit(fixture.SegmentPath(1), entry + 50, 1);
        fixture.Disk.FlipBit("/node/hardstate-b", 3, 1);
        fixture.Disk.FlipBit("/node/identity", 3, 1);
        CheckReport report = StorageCheck.Check(fixture.Disk, WalFixture.Directory, _ => { });
        Assert.Contains(report.Problems, text => text.Contains("identity", StringComparison.Ordinal));
        Assert.Contains(report.Problems, text => text.Contains("hardstate-b' offset 0", StringComparison.Ordinal));
        int batch = entry / WalFormat.BlockBytes * WalFormat.BlockBytes;
        Assert.Contains(
            report.Problems,
            text => text.Contains($"'{fixture.SegmentPath(1)}' offset {batch} to", StringComparison.Ordinal)
                && text.Contains("shard 0, entries 4 to 6", StringComparison.Ordinal));
        Assert.Contains(report.Problems, text => text == "shard 0: whole entries end at 3 of term 1, the log ended at 9 of term 1");
    }

    [Fact]
    public void AnEmptyDirectoryIsToldApart()
    {
        CheckReport report = StorageCheck.Check(new FakeDisk(), "/nothing", _ => { });
        Assert.False(report.IsSound);
        Assert.False(StorageCheck.Check(new LinuxDisk(), "/nonexistent/raftqueue", _ => { }).IsSound);
    }

    private static WalFixture Node()
    {
        var fixture = new WalFixture();
        var configured = new NodeIdentity { ClusterId = "main", NodeId = new NodeId(1), Shards = 1, Durability = "quorum-fsync" };
        NodeIdentityFile.Open(fixture.Disk, WalFixture.Directory, configured, new SplitMix64(1)).Dispose();
        fixture.Open();
        for (long first = 1; first <= 7; first += 3)
        {
            fixture.Wal.Append(new ShardId(0), TestEntries.Range(0, 1, first, first + 2));
            fixture.Run();
        }

        fixture.RunToMark();
        return fixture;
    }
}
