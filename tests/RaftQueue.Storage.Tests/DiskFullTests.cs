using RaftQueue.Primitives;
using RaftQueue.TestKit;

namespace RaftQueue.Storage.Tests;

public sealed class DiskFullTests
{
    private static readonly ShardId Shard0 = new(0);
    private static readonly WalOptions Options = new() { SegmentBytes = 64 * 1024, ReserveSegments = 2 };

    [Fact]
    public void TheReserveGoesOnAndSpaceThatReturnsIsTaken()
    {
        var fixture = new WalFixture(Options);
        WriteAheadLog wal = fixture.Open();
        fixture.RunToMark();
        Assert.False(wal.IsFull);
        fixture.Disk.CapacityBytes = (3 * Options.SegmentBytes) + 8192;
        long index = AppendUntil(fixture, 1, _ => wal.IsFull);
        Assert.Equal([true], fixture.Listener.Full);

        // At least one whole segment is left to finish with.
        long before = index;
        index = AppendUntil(fixture, index, last => fixture.Listener.Entries[^1].Index.Value < last);
        Assert.True(index - before > 15, $"only {index - before} entries fitted in the reserve");
        Assert.NotEqual(0, wal.OldestUnsyncedMicroseconds);
        long stuck = fixture.Listener.Entries[^1].Index.Value;

        fixture.Disk.CapacityBytes = null;
        fixture.Clock.AdvanceMs(1500);
        fixture.Run();
        Assert.False(wal.IsFull);
        Assert.Equal([true, false], fixture.Listener.Full);
        Assert.Equal(index - 1, fixture.Listener.Entries[^1].Index.Value);
        Assert.True(stuck < index - 1);
        Assert.Equal(0, wal.OldestUnsyncedMicroseconds);
        wal = fixture.CrashAndOpen(CrashMode.PowerLoss);
        Assert.Equal(index - 1, wal.Recovered(Shard0).LastIndex.Value);
        Assert.Null(wal.Recovered(Shard0).DamageReport);
    }

    [Fact]
    public void TrimmingMakesRoomWhenNoSegmentIsLeft()
    {
        var fixture = new WalFixture(Options);
        WriteAheadLog wal = fixture.Open();
        fixture.RunToMark();
        fixture.Disk.CapacityBytes = (3 * Options.SegmentBytes) + 8192;
        long index = AppendUntil(fixture, 1, last => fixture.Listener.Entries[^1].Index.Value < last);
        LogIndex durable = wal.DurableIndex(Shard0);
        wal.Release(Shard0, durable);
        fixture.Clock.AdvanceMs(200);
        fixture.Run();
        Assert.Equal(index - 1, fixture.Listener.Entries[^1].Index.Value);
        wal = fixture.CrashAndOpen(CrashMode.PowerLoss);
        Assert.Equal(durable.Next, wal.Recovered(Shard0).FirstIndex);
        Assert.Equal(index - 1, wal.Recovered(Shard0).LastIndex.Value);
    }

    [Fact]
    public void HardStatesAreSavedWhileTheLogIsStuck()
    {
        var fixture = new WalFixture(Options);
        WriteAheadLog wal = fixture.Open();
        fixture.RunToMark();
        fixture.Disk.CapacityBytes = (3 * Options.SegmentBytes) + 8192;
        AppendUntil(fixture, 1, last => fixture.Listener.Entries[^1].Index.Value < last);
        wal.SaveHardState(Shard0, new Consensus.HardState(new Term(8), NodeId.None));
        fixture.Run();
        Assert.Single(fixture.Listener.HardStates);
    }

    [Fact]
    public void AFullDiskStartsFromItsReserveAgainAndAgain()
    {
        var fixture = new WalFixture(Options);
        WriteAheadLog wal = fixture.Open();
        fixture.RunToMark();
        wal.Append(Shard0, TestEntries.Range(0, 1, 1, 3));
        fixture.RunToMark();
        fixture.Disk.CapacityBytes = 0;
        for (int start = 0; start < 6; start++)
        {
            wal = fixture.CrashAndOpen(start % 2 == 0 ? CrashMode.PowerLoss : CrashMode.ProcessDeath);
            Assert.Equal(3, TestEntries.ReadAll(wal, 0).Count);
            fixture.Run();
        }
    }

    private static long AppendUntil(WalFixture fixture, long index, Func<long, bool> enough)
    {
        for (int count = 0; count < 500; count++)
        {
            fixture.Wal.Append(Shard0, TestEntries.Range(0, 1, index, index, 2000));
            index++;
            fixture.Clock.AdvanceMs(1);
            fixture.Run();
            if (enough(index - 1)) return index;
        }

        Assert.Fail("the disk never became full");
        return index;
    }
}
