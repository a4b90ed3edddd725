using RaftQueue.Primitives;
using RaftQueue.TestKit;

namespace RaftQueue.Storage.Tests;

/// <summary>An error of a sync must be seen, stop the log, and never be tried again.</summary>
public sealed class CanaryTests
{
    private static readonly ShardId Shard0 = new(0);

    [Theory]
    [InlineData(5)]
    [InlineData(28)]
    [InlineData(122)]
    public void AFailedSyncReportsNothingAndEndsTheLog(int errno)
    {
        var fixture = new WalFixture();
        WriteAheadLog wal = fixture.Open();
        fixture.RunToMark();
        wal.Append(Shard0, TestEntries.Range(0, 1, 1, 1));
        fixture.Disk.FailNext(DiskOperation.DataSync, errno: errno);
        Assert.Equal(errno, Assert.Throws<DiskException>(() => wal.RunOnce()).Errno);
        Assert.Empty(fixture.Listener.Entries);
        Assert.Equal(LogIndex.Zero, wal.DurableIndex(Shard0));
        long syncs = fixture.Disk.CountOf(DiskOperation.DataSync);
        Assert.Throws<InvariantViolationException>(() => wal.RunOnce());
        Assert.Equal(syncs, fixture.Disk.CountOf(DiskOperation.DataSync));
    }

    [Fact]
    public void AFailedSyncOfAHardStateReportsNothing()
    {
        for (int copy = 1; copy <= 2; copy++)
        {
            var fixture = new WalFixture();
            WriteAheadLog wal = fixture.Open();
            fixture.RunToMark();
            wal.SaveHardState(Shard0, new Consensus.HardState(new Term(1), new NodeId(1)));
            fixture.Disk.FailNext(DiskOperation.DataSync, copy);
            Assert.Throws<DiskException>(() => wal.RunOnce());
            Assert.Empty(fixture.Listener.HardStates);
        }
    }

    [Theory]
    [InlineData(DiskOperation.Write)]
    [InlineData(DiskOperation.SyncDirectory)]
    [InlineData(DiskOperation.Rename)]
    public void OtherErrorsEndTheLogToo(DiskOperation kind)
    {
        var fixture = new WalFixture();
        WriteAheadLog wal = fixture.Open();
        fixture.RunToMark();
        fixture.Disk.FailNext(kind);
        Exception? seen = Record.Exception(() =>
        {
            for (long index = 1; index <= 100; index++)
            {
                wal.Append(Shard0, TestEntries.Range(0, 1, index, index, 3000));
                wal.RunOnce();
            }
        });
        Assert.IsType<DiskException>(seen);
        Assert.Throws<InvariantViolationException>(() => wal.RunOnce());
    }
}
