using RaftQueue.Consensus;
using RaftQueue.Primitives;
using RaftQueue.TestKit;

namespace RaftQueue.Storage.Tests;

public sealed class HardStateTests
{
    private static readonly ShardId Shard0 = new(0);
    private static readonly HardState Voted = new(new Term(5), new NodeId(2));

    [Theory]
    [InlineData("hardstate-a")]
    [InlineData("hardstate-b")]
    public void OneBadCopyIsMadeGoodFromTheOther(string name)
    {
        for (int at = 0; at < 40; at++)
        {
            WalFixture fixture = Saved();
            fixture.Disk.FlipBit(Path.Combine(WalFixture.Directory, name), at, at % 8);
            Assert.Equal(Voted, fixture.CrashAndOpen(CrashMode.PowerLoss).Recovered(Shard0).HardState);

            // The bad copy was written again: now the other one may go bad.
            string other = name == "hardstate-a" ? "hardstate-b" : "hardstate-a";
            fixture.Disk.FlipBit(Path.Combine(WalFixture.Directory, other), 30, 1);
            Assert.Equal(Voted, fixture.CrashAndOpen(CrashMode.PowerLoss).Recovered(Shard0).HardState);
        }
    }

    [Fact]
    public void TwoBadCopiesMeanNoVoteForEver()
    {
        WalFixture fixture = Saved();
        fixture.Disk.FlipBit("/node/hardstate-a", 30, 1);
        fixture.Disk.FlipBit("/node/hardstate-b", 12, 1);
        WriteAheadLog wal = fixture.CrashAndOpen(CrashMode.PowerLoss);
        Assert.Null(wal.Recovered(Shard0).HardState);
        Assert.Contains("hard state", wal.Recovered(Shard0).DamageReport, StringComparison.Ordinal);
        wal.SaveHardState(Shard0, new HardState(new Term(9), NodeId.None));
        fixture.Run();
        Assert.Null(fixture.CrashAndOpen(CrashMode.ProcessDeath).Recovered(Shard0).HardState);
    }

    [Fact]
    public void DeletedCopiesBesideALogMeanNoVote()
    {
        WalFixture fixture = Saved();
        fixture.Disk.Delete("/node/hardstate-a");
        fixture.Disk.Delete("/node/hardstate-b");
        Assert.Null(fixture.CrashAndOpen(CrashMode.ProcessDeath).Recovered(Shard0).HardState);
    }

    [Fact]
    public void BothCopiesAreSyncedBeforeTheAnswer()
    {
        WalFixture fixture = Saved();
        var order = new List<string>();
        fixture.Disk.OnOperation = (kind, path) => order.Add($"{kind} {Path.GetFileName(path)}");
        fixture.Wal.SaveHardState(Shard0, new HardState(new Term(6), NodeId.None));
        Assert.Single(fixture.Listener.HardStates);
        fixture.Run();
        Assert.Equal(["Write hardstate-a", "DataSync hardstate-a", "Write hardstate-b", "DataSync hardstate-b"], order);
        Assert.Equal(2, fixture.Listener.HardStates.Count);
    }

    [Fact]
    public void StatesQueuedTogetherAreWrittenOnceAndReportedInOrder()
    {
        WalFixture fixture = Saved();
        long syncs = fixture.Disk.CountOf(DiskOperation.DataSync);
        fixture.Wal.SaveHardState(Shard0, new HardState(new Term(6), NodeId.None));
        fixture.Wal.SaveHardState(Shard0, new HardState(new Term(6), new NodeId(3)));
        fixture.Run();
        Assert.Equal(syncs + 2, fixture.Disk.CountOf(DiskOperation.DataSync));
        Assert.Equal([NodeId.None, new NodeId(3)], fixture.Listener.HardStates.Skip(1).Select(call => call.State.Vote));
    }

    private static WalFixture Saved()
    {
        var fixture = new WalFixture();
        fixture.Open().SaveHardState(Shard0, Voted);
        fixture.RunToMark();
        return fixture;
    }
}
