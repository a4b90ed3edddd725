using RaftQueue.Primitives;
using RaftQueue.TestKit;

namespace RaftQueue.Storage.Tests;

/// <summary>Segments are made ready on a loop of their own, and by the log's loop only when it has none left.</summary>
public sealed class SegmentPreparationTests
{
    private const string WalDirectory = WalFixture.Directory + "/wal";

    private static readonly ShardId Shard0 = new(0);
    private static readonly WalOptions Options = new() { SegmentBytes = 64 * 1024, ReserveSegments = 2 };

    [Fact]
    public void WhoWaitsForTheLogDoesNotWaitForZeros()
    {
        var fixture = new WalFixture(Options);
        fixture.Open();
        fixture.RunToMark();
        long before = fixture.Disk.CountOf(DiskOperation.Allocate);
        Assert.Equal(2, Spares(fixture).Count());

        // Two spares and what is left of the present segment: nothing has to be made, though one is missing soon.
        long index = Append(fixture, 1, until: () => !Spares(fixture).Any());
        Assert.Equal(before, fixture.Disk.CountOf(DiskOperation.Allocate));

        // The other loop makes up for it, a slice at a time.
        Assert.True(fixture.Wal.Preparation.RunOnce() <= fixture.Clock.MonotonicMicroseconds);
        Assert.Equal(before + 1, fixture.Disk.CountOf(DiskOperation.Allocate));
        Assert.InRange(fixture.Disk.LengthOf(Assert.Single(Spares(fixture)))!.Value, 1, Options.SegmentBytes - 1);
        fixture.Run();
        Assert.Equal(2, Spares(fixture).Count());
        Assert.All(Spares(fixture), path => Assert.Equal(Options.SegmentBytes, fixture.Disk.LengthOf(path)));
        Assert.Equal(index - 1, fixture.Listener.Entries[^1].Index.Value);
    }

    [Fact]
    public void TheLogGoesOnWhereTheOtherLoopStoppedInTheMiddle()
    {
        var fixture = new WalFixture(Options);
        WriteAheadLog wal = fixture.Open();
        fixture.RunToMark();
        long index = Append(fixture, 1, until: () => !Spares(fixture).Any());
        wal.Preparation.RunOnce();
        string half = Assert.Single(Spares(fixture));
        long allocated = fixture.Disk.CountOf(DiskOperation.Allocate);
        int segments = fixture.Segments().Count();
        index = Append(fixture, index, until: () => fixture.Segments().Count() > segments);
        Assert.Equal(index - 1, fixture.Listener.Entries[^1].Index.Value);
        Assert.False(fixture.Disk.FileExists(half));
        Assert.Equal(allocated + 3, fixture.Disk.CountOf(DiskOperation.Allocate));
        wal = fixture.CrashAndOpen(CrashMode.PowerLoss);
        Assert.Equal((index - 1, null), (wal.Recovered(Shard0).LastIndex.Value, wal.Recovered(Shard0).DamageReport));
    }

    [Theory]
    [InlineData(CrashMode.ProcessDeath)]
    [InlineData(CrashMode.PowerLoss)]
    public void AHalfPreparedSegmentIsNotTakenForOne(CrashMode mode)
    {
        for (int slices = 1; slices <= 4; slices++)
        {
            var fixture = new WalFixture(Options, seed: (ulong)slices);
            WriteAheadLog wal = fixture.Open();
            fixture.RunToMark();
            long index = Append(fixture, 1, until: () => !Spares(fixture).Any());
            for (int slice = 0; slice < slices; slice++) wal.Preparation.RunOnce();
            string half = Assert.Single(Spares(fixture));
            wal = fixture.CrashAndOpen(mode);
            Assert.Equal((index - 1, null), (wal.Recovered(Shard0).LastIndex.Value, wal.Recovered(Shard0).DamageReport));
            Assert.True(slices == 4 || !fixture.Disk.FileExists(half), "what was left of it is deleted");
            Assert.All(
                fixture.Disk.ListFiles(WalDirectory),
                name => Assert.Equal(Options.SegmentBytes, fixture.Disk.LengthOf($"{WalDirectory}/{name}")));
            Append(fixture, index, until: () => fixture.Listener.Entries.Count > 50);
        }
    }

    [Fact]
    public void AFullDiskIsToldByWhoeverFindsIt()
    {
        var fixture = new WalFixture(Options);
        WriteAheadLog wal = fixture.Open();
        int woken = 0;
        wal.Attach(fixture.Listener, () => woken++, () => { });
        fixture.RunToMark();
        Append(fixture, 1, until: () => Spares(fixture).Count() == 1);
        fixture.Disk.CapacityBytes = fixture.Disk.UsedBytes + (Options.SegmentBytes / 2);
        woken = 0;
        Assert.True(wal.Preparation.RunOnce() > fixture.Clock.MonotonicMicroseconds);
        Assert.Equal((true, 1), (wal.IsFull, woken));
        fixture.RunLog();
        Assert.Equal([true], fixture.Listener.Full);
        Assert.Single(Spares(fixture));

        fixture.Disk.CapacityBytes = null;
        fixture.Clock.AdvanceMs(1_500);
        while (wal.Preparation.RunOnce() <= fixture.Clock.MonotonicMicroseconds)
        {
        }

        Assert.Equal((false, 2), (wal.IsFull, woken));
        fixture.RunLog();
        Assert.Equal([true, false], fixture.Listener.Full);
    }

    /// <summary>Space may also end while a slice is written: what another file took meanwhile.</summary>
    [Fact]
    public void WhatWasBegunIsGivenUpWhenTheDiskIsFull()
    {
        var fixture = new WalFixture(Options);
        WriteAheadLog wal = fixture.Open();
        fixture.RunToMark();
        Append(fixture, 1, until: () => Spares(fixture).Count() == 1);
        wal.Preparation.RunOnce();
        Assert.Equal(2, Spares(fixture).Count());
        fixture.Disk.CapacityBytes = fixture.Disk.UsedBytes;
        wal.Preparation.RunOnce();
        Assert.True(wal.IsFull);
        Assert.Single(Spares(fixture));
    }

    [Theory]
    [InlineData(DiskOperation.Allocate)]
    [InlineData(DiskOperation.Create)]
    public void AnErrorOfTheDiskEndsItForGood(DiskOperation kind)
    {
        var fixture = new WalFixture(Options);
        WriteAheadLog wal = fixture.Open();
        fixture.RunToMark();
        Append(fixture, 1, until: () => Spares(fixture).Count() == 1);
        fixture.Disk.FailNext(kind);
        Assert.Equal(5, Assert.Throws<DiskException>(() => wal.Preparation.RunOnce()).Errno);
        Assert.Throws<InvariantViolationException>(() => wal.Preparation.RunOnce());
    }

    private static IEnumerable<string> Spares(WalFixture fixture) => fixture.Disk.ListFiles(WalDirectory)
        .Where(name => name.EndsWith(".spare", StringComparison.Ordinal)).Select(name => $"{WalDirectory}/{name}");

    /// <summary>Entries through the log's loop alone.</summary>
    private static long Append(WalFixture fixture, long index, Func<bool> until)
    {
        for (int count = 0; count < 500; count++)
        {
            fixture.Wal.Append(Shard0, TestEntries.Range(0, 1, index, index, 2000));
            index++;
            fixture.RunLog();
            if (until()) return index;
        }

        Assert.Fail("that never happened");
        return index;
    }
}
