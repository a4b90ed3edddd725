using RaftQueue.Consensus;
using RaftQueue.Primitives;
using RaftQueue.TestKit;

namespace RaftQueue.Storage.Tests;

public sealed class WriteAheadLogTests
{
    private static readonly ShardId Shard0 = new(0);
    private static readonly ShardId Shard1 = new(1);

    [Fact]
    public void QueuedEntriesAreVisibleAtOnceAndReportedWhenSynced()
    {
        var fixture = new WalFixture();
        WriteAheadLog wal = fixture.Open();
        List<LogEntry> entries = TestEntries.Range(0, 1, 1, 3);
        wal.Append(Shard0, entries);
        Assert.Equal(entries, TestEntries.ReadAll(wal, 0));
        Assert.Equal(new LogIndex(3), wal.Log(Shard0).LastIndex);
        Assert.Empty(fixture.Listener.Entries);
        Assert.Equal(LogIndex.Zero, wal.DurableIndex(Shard0));
        fixture.Run();
        Assert.Equal([(Shard0, new LogIndex(3), new Term(1))], fixture.Listener.Entries);
        Assert.Equal(new LogIndex(3), wal.DurableIndex(Shard0));
    }

    [Fact]
    public void WhateverIsQueuedGoesInOneWriteAndOneSync()
    {
        var fixture = new WalFixture(new WalOptions { SegmentBytes = 64 * 1024, Shards = 2 });
        WriteAheadLog wal = fixture.Open();
        fixture.RunToMark();
        long writes = fixture.Disk.CountOf(DiskOperation.Write);
        long syncs = fixture.Disk.CountOf(DiskOperation.DataSync);
        wal.Append(Shard0, TestEntries.Range(0, 1, 1, 5));
        wal.Append(Shard1, TestEntries.Range(1, 1, 1, 5));
        wal.Append(Shard0, TestEntries.Range(0, 1, 6, 7));
        fixture.Run();
        Assert.Equal(writes + 1, fixture.Disk.CountOf(DiskOperation.Write));
        Assert.Equal(syncs + 1, fixture.Disk.CountOf(DiskOperation.DataSync));
        Assert.Equal(2, fixture.Listener.Entries.Count);
    }

    [Fact]
    public void AllIsThereAfterPowerLossAndReadFromTheDisk()
    {
        var fixture = new WalFixture(new WalOptions { SegmentBytes = 64 * 1024, Shards = 2 });
        WriteAheadLog wal = fixture.Open();
        List<LogEntry> first = TestEntries.Range(0, 1, 1, 40, 500);
        List<LogEntry> second = TestEntries.Range(1, 3, 1, 7);
        wal.Append(Shard0, first);
        wal.Append(Shard1, second);
        wal.SaveHardState(Shard1, new HardState(new Term(3), new NodeId(2)));
        fixture.Run();
        wal = fixture.CrashAndOpen(CrashMode.PowerLoss);
        Assert.Equal(first.Select(entry => entry.Bytes.ToArray()), TestEntries.ReadAll(wal, 0).Select(entry => entry.Bytes.ToArray()));
        Assert.Equal(second.Select(entry => entry.Bytes.ToArray()), TestEntries.ReadAll(wal, 1).Select(entry => entry.Bytes.ToArray()));
        RecoveredShard recovered = wal.Recovered(Shard1);
        Assert.Equal(new HardState(new Term(3), new NodeId(2)), recovered.HardState);
        Assert.Equal(new LogIndex(7), recovered.LastIndex);
        Assert.Equal(new Term(3), recovered.LastTerm);
        Assert.Null(recovered.VoteFloor);
        Assert.Null(recovered.DamageReport);
        Assert.Equal(new HardState(Term.Zero, NodeId.None), wal.Recovered(Shard0).HardState);
    }

    [Fact]
    public void ALaterRecordSupersedesItAndAllBehindIt()
    {
        var fixture = new WalFixture();
        WriteAheadLog wal = fixture.Open();
        wal.Append(Shard0, TestEntries.Range(0, 1, 1, 10));
        fixture.Run();
        wal.Append(Shard0, TestEntries.Range(0, 2, 5, 6));
        Assert.Equal(new LogIndex(6), wal.Log(Shard0).LastIndex);
        fixture.Run();
        wal = fixture.CrashAndOpen(CrashMode.PowerLoss);
        Assert.Equal([1, 1, 1, 1, 2, 2], TestEntries.ReadAll(wal, 0).Select(entry => entry.Term.Value));
    }

    [Fact]
    public void SegmentsAreRecycledWhenReleased()
    {
        var fixture = new WalFixture(new WalOptions { SegmentBytes = 64 * 1024, ReserveSegments = 2 });
        WriteAheadLog wal = fixture.Open();
        for (long index = 1; index <= 400; index++)
        {
            wal.Append(Shard0, TestEntries.Range(0, 1, index, index, 2000));
            fixture.Run();
            if (index > 20) wal.Release(Shard0, new LogIndex(index - 20));
        }

        fixture.RunToMark();
        Assert.InRange(fixture.Segments().Count(), 2, 5);
        Assert.Equal(new LogIndex(381), wal.Log(Shard0).FirstIndex);
        Assert.InRange(wal.SegmentsPinnedBy(Shard0), 2, 4);
        wal = fixture.CrashAndOpen(CrashMode.PowerLoss);
        Assert.Equal(new LogIndex(381), wal.Recovered(Shard0).FirstIndex);
        Assert.Equal(20, TestEntries.ReadAll(wal, 0).Count);
        Assert.Null(wal.Recovered(Shard0).DamageReport);
    }

    /// <summary>A checkpoint gives many segments up at once, and the next ones are soon needed again.</summary>
    [Fact]
    public void SegmentsThatAreGivenUpTogetherServeAgainWithoutBeingDeletedOrMade()
    {
        var fixture = new WalFixture(new WalOptions { SegmentBytes = 64 * 1024, ReserveSegments = 2, KeepSegments = 8 });
        WriteAheadLog wal = fixture.Open();
        long index = 0;
        var operations = new List<DiskOperation>();
        for (int round = 0; round < 6; round++)
        {
            for (int i = 0; i < 45; i++)
            {
                index++;
                wal.Append(Shard0, TestEntries.Range(0, 1, index, index, 2000));
                fixture.Run();
            }

            Assert.InRange(wal.SegmentsPinnedBy(Shard0), 4, 6);
            wal.Release(Shard0, new LogIndex(index - 5));
            fixture.RunToMark();
            if (round == 2) fixture.Disk.OnOperation = (operation, _) => operations.Add(operation);
        }

        Assert.DoesNotContain(DiskOperation.Delete, operations);
        Assert.DoesNotContain(DiskOperation.Allocate, operations);
        Assert.Contains(DiskOperation.Rename, operations);
        Assert.InRange(fixture.Disk.ListFiles(Path.Combine(WalFixture.Directory, "wal")).Count, 3, 8);

        // Beyond that they are deleted.
        wal = fixture.CrashAndOpen(CrashMode.PowerLoss);
        wal.Append(Shard0, TestEntries.Range(0, 1, index + 1, index + 400, 2000));
        fixture.Run();
        wal.Release(Shard0, new LogIndex(index + 395));
        fixture.RunToMark();
        Assert.InRange(fixture.Disk.ListFiles(Path.Combine(WalFixture.Directory, "wal")).Count, 3, 8);
    }

    [Fact]
    public void ARestartDropsAllOrKeepsAMatchingTail()
    {
        var fixture = new WalFixture(new WalOptions { SegmentBytes = 64 * 1024, Shards = 2 });
        WriteAheadLog wal = fixture.Open();
        wal.Append(Shard0, TestEntries.Range(0, 1, 1, 10));
        wal.Append(Shard1, TestEntries.Range(1, 1, 1, 10));
        wal.RestartAt(Shard0, new LogIndex(100), new Term(4));
        wal.RestartAt(Shard1, new LogIndex(7), new Term(1));
        wal.Append(Shard0, TestEntries.Range(0, 5, 101, 102));
        Assert.Equal(new Term(4), wal.Log(Shard0).TermAt(new LogIndex(100)));
        fixture.RunToMark();
        wal = fixture.CrashAndOpen(CrashMode.PowerLoss);
        Assert.Equal([101, 102], TestEntries.ReadAll(wal, 0).Select(entry => entry.Index.Value));
        Assert.Equal([8, 9, 10], TestEntries.ReadAll(wal, 1).Select(entry => entry.Index.Value));
        Assert.Equal(new Term(4), wal.Log(Shard0).TermAt(new LogIndex(100)));
        Assert.Null(wal.Recovered(Shard0).DamageReport);
    }

    [Fact]
    public void TheCacheIsBoundedAndOlderEntriesAreReadBack()
    {
        var fixture = new WalFixture(new WalOptions { SegmentBytes = 256 * 1024, CacheBytesPerShard = 10_000 });
        WriteAheadLog wal = fixture.Open();
        List<LogEntry> entries = TestEntries.Range(0, 1, 1, 100, 1000);
        wal.Append(Shard0, entries);
        fixture.Run();
        Assert.InRange(((ShardLog)wal.Log(Shard0)).CachedBytes, 5_000, 10_000);
        Assert.Equal(entries.Select(entry => entry.Bytes.ToArray()), TestEntries.ReadAll(wal, 0).Select(entry => entry.Bytes.ToArray()));
        var some = new List<LogEntry>();
        Assert.Equal(2, wal.Log(Shard0).Read(new LogIndex(5), new LogIndex(90), 2500, some));
        Assert.Equal(1, wal.Log(Shard0).Read(new LogIndex(5), new LogIndex(90), 1, some));
        Assert.Equal(0, wal.Log(Shard0).Read(new LogIndex(101), new LogIndex(101), 1, some));
    }

    [Fact]
    public void QuorumMemoryReportsOnWriteAndSyncsWithin50Ms()
    {
        var fixture = new WalFixture(new WalOptions { SegmentBytes = 64 * 1024, SyncBeforeReply = false });
        WriteAheadLog wal = fixture.Open();
        fixture.RunToMark();
        wal.Append(Shard0, TestEntries.Range(0, 1, 1, 3));
        fixture.Run();
        Assert.Single(fixture.Listener.Entries);
        Assert.Equal(LogIndex.Zero, wal.DurableIndex(Shard0));
        Assert.NotEqual(0, wal.OldestUnsyncedMicroseconds);
        for (int busy = 0; busy < 5; busy++)
        {
            fixture.Clock.AdvanceMs(10);
            wal.Append(Shard0, TestEntries.Range(0, 1, 4 + busy, 4 + busy));
            wal.RunOnce();
        }

        Assert.True(wal.DurableIndex(Shard0).Value >= 3);
        fixture.Clock.AdvanceMs(50);
        fixture.Run();
        Assert.Equal(new LogIndex(8), wal.DurableIndex(Shard0));
        Assert.Equal(0, wal.OldestUnsyncedMicroseconds);
    }

    [Fact]
    public void TheOldestUnsyncedCallIsKnown()
    {
        var fixture = new WalFixture();
        WriteAheadLog wal = fixture.Open();
        Assert.Equal(0, wal.OldestUnsyncedMicroseconds);
        long first = fixture.Clock.MonotonicMicroseconds;
        wal.SaveHardState(Shard0, new HardState(new Term(1), NodeId.None));
        fixture.Clock.AdvanceMs(5);
        wal.Append(Shard0, TestEntries.Range(0, 1, 1, 1));
        Assert.Equal(first, wal.OldestUnsyncedMicroseconds);
        long during = 0;
        fixture.Disk.OnOperation = (kind, _) =>
        {
            if (kind == DiskOperation.DataSync) during = wal.OldestUnsyncedMicroseconds;
        };
        fixture.Run();
        Assert.Equal(first, during);
        Assert.Equal(0, wal.OldestUnsyncedMicroseconds);
    }

    [Fact]
    public void AnIdleLogWritesOneMarkAndThenRests()
    {
        var fixture = new WalFixture();
        WriteAheadLog wal = fixture.Open();
        fixture.RunToMark();
        wal.Append(Shard0, TestEntries.Range(0, 1, 1, 1));
        fixture.Run();
        long writes = fixture.Disk.CountOf(DiskOperation.Write);
        fixture.Clock.AdvanceMs(99);
        Assert.Equal(fixture.Clock.MonotonicMicroseconds + 1000, wal.RunOnce());
        Assert.Equal(writes, fixture.Disk.CountOf(DiskOperation.Write));
        fixture.Clock.AdvanceMs(1);
        Assert.Equal(ILoopBody.Never, wal.RunOnce());
        Assert.Equal(writes + 1, fixture.Disk.CountOf(DiskOperation.Write));
    }

    [Fact]
    public void ManySmallStartsDoNotPileUpSegments()
    {
        var fixture = new WalFixture(new WalOptions { SegmentBytes = 256 * 1024 });
        for (int start = 0; start < 10; start++)
        {
            WriteAheadLog wal = fixture.Open();
            wal.Append(Shard0, TestEntries.Range(0, 1, start + 1, start + 1));
            fixture.Run();
            fixture.Disk.Crash(CrashMode.ProcessDeath);
        }

        Assert.Equal(10, TestEntries.ReadAll(fixture.Open(), 0).Count);
        Assert.Single(fixture.Segments());
    }
}
