using RaftQueue.Primitives;
using RaftQueue.TestKit;

namespace RaftQueue.Storage.Tests;

public sealed class DamageTests
{
    private const int FirstBatch = SegmentHeader.Size + (2 * WalFormat.BlockBytes);
    private static readonly ShardId Shard0 = new(0);
    private static readonly ShardId Shard1 = new(1);
    private static readonly WalOptions TwoShards = new() { SegmentBytes = 64 * 1024, Shards = 2 };

    [Fact]
    public void EveryFlippedByteOfASyncedBatchIsSeenAndBounded()
    {
        WalFixture sample = ThreeBatches();
        using IDiskFile file = sample.Disk.Open(sample.SegmentPath(1), create: false);
        BatchHeader second = SecondBatch(file);
        int bytes = second.HeaderBytes + second.DataBytes;
        Assert.InRange(bytes, 300, 1000);
        for (int at = 0; at < bytes; at++)
        {
            WalFixture fixture = ThreeBatches();
            fixture.Disk.FlipBit(fixture.SegmentPath(1), second.Position.Offset + at, at % 8);
            WriteAheadLog wal = fixture.CrashAndOpen(CrashMode.PowerLoss);
            RecoveredShard hit = wal.Recovered(Shard0);
            Assert.True(hit.VoteFloor == (new Term(1), new LogIndex(9)), $"byte {at}: floor {hit.VoteFloor}");
            Assert.Contains("000000000001.seg", hit.DamageReport, StringComparison.Ordinal);
            Assert.Equal([1, 2, 3], TestEntries.ReadAll(wal, 0).Select(entry => entry.Index.Value));

            // The other shard had nothing in that batch.
            Assert.Null(wal.Recovered(Shard1).VoteFloor);
            Assert.Equal(4, TestEntries.ReadAll(wal, 1).Count);
        }
    }

    [Fact]
    public void ATornTailIsCutWithoutAWord()
    {
        WalFixture sample = ThreeBatches(mark: false);
        using IDiskFile file = sample.Disk.Open(sample.SegmentPath(1), create: false);
        BatchHeader second = SecondBatch(file);
        var reader = new SegmentReader(file, 1);
        BatchHeader third = reader.HeaderAt(second.End.Offset)!;
        int bytes = third.HeaderBytes + third.DataBytes;
        for (int at = 0; at < bytes; at += 5)
        {
            WalFixture fixture = ThreeBatches(mark: false);
            fixture.Disk.FlipBit(fixture.SegmentPath(1), third.Position.Offset + at, 3);
            WriteAheadLog wal = fixture.CrashAndOpen(CrashMode.ProcessDeath);
            Assert.Null(wal.Recovered(Shard0).VoteFloor);
            Assert.Null(wal.Recovered(Shard0).DamageReport);
            Assert.Equal([1, 2, 3, 4, 5, 6], TestEntries.ReadAll(wal, 0).Select(entry => entry.Index.Value));
        }
    }

    [Fact]
    public void ALogWhoseEndWasCutOffIsNotTakenForAShorterOne()
    {
        WalFixture sample = ThreeBatches();
        long whole = sample.Disk.LengthOf(sample.SegmentPath(1))!.Value;
        for (long length = 0; length < whole; length += WalFormat.BlockBytes / 2)
        {
            WalFixture fixture = ThreeBatches();
            fixture.Disk.Crash(CrashMode.ProcessDeath);
            using (IDiskFile file = fixture.Disk.Open(fixture.SegmentPath(1), create: false)) file.SetLength(length);
            var problems = StorageCheck.Check(fixture.Disk, WalFixture.Directory, _ => { }).Problems;
            Assert.Contains(problems, text => text.Contains($"has {length} bytes", StringComparison.Ordinal));
            Assert.Throws<StorageDamagedException>(fixture.Open);
        }
    }

    [Fact]
    public void AnOlderSegmentThatWasCutOffIsDamage()
    {
        var fixture = new WalFixture(TwoShards);
        fixture.Open();
        for (int batch = 0; fixture.Segments().Count() < 2; batch++)
        {
            fixture.Wal.Append(Shard0, TestEntries.Range(0, 1, (batch * 3) + 1, (batch * 3) + 3));
            fixture.Run();
        }

        fixture.RunToMark();
        fixture.Disk.Crash(CrashMode.PowerLoss);
        using (IDiskFile file = fixture.Disk.Open(fixture.SegmentPath(1), create: false)) file.SetLength(8 * WalFormat.BlockBytes);
        Assert.NotNull(fixture.Open().Recovered(Shard0).VoteFloor);
    }

    [Fact]
    public void AFloorIsKeptOverRestartsUntilPeersHaveMadeItGood()
    {
        WalFixture fixture = Damaged();
        for (int restart = 0; restart < 3; restart++)
        {
            Assert.Equal((new Term(1), new LogIndex(9)), fixture.Wal.Recovered(Shard0).VoteFloor);
            Assert.Equal(new LogIndex(3), fixture.Wal.Recovered(Shard0).LastIndex);
            fixture.CrashAndOpen(restart == 1 ? CrashMode.PowerLoss : CrashMode.ProcessDeath);
        }

        fixture.Wal.Append(Shard0, TestEntries.Range(0, 1, 4, 7));
        fixture.Run();
        fixture.CrashAndOpen(CrashMode.PowerLoss);
        Assert.Equal((new Term(1), new LogIndex(9)), fixture.Wal.Recovered(Shard0).VoteFloor);
        Assert.Equal(new LogIndex(7), fixture.Wal.Recovered(Shard0).LastIndex);
        fixture.Wal.Append(Shard0, TestEntries.Range(0, 1, 8, 9));
        fixture.Run();
        fixture.CrashAndOpen(CrashMode.PowerLoss);
        Assert.Null(fixture.Wal.Recovered(Shard0).VoteFloor);
        Assert.Equal(9, TestEntries.ReadAll(fixture.Wal, 0).Count);
    }

    [Fact]
    public void ACheckpointBeyondTheFloorMakesItGoodToo()
    {
        WalFixture fixture = Damaged();
        fixture.Wal.RestartAt(Shard0, new LogIndex(12), new Term(2));
        fixture.RunToMark();
        fixture.CrashAndOpen(CrashMode.PowerLoss);
        Assert.Null(fixture.Wal.Recovered(Shard0).VoteFloor);
        Assert.Equal(new LogIndex(12), fixture.Wal.Recovered(Shard0).LastIndex);
        Assert.Equal(new Term(2), fixture.Wal.Recovered(Shard0).LastTerm);
    }

    [Fact]
    public void DamageOfWhatIsReleasedHurtsNobody()
    {
        WalFixture fixture = ThreeBatches();
        fixture.Wal.Release(Shard0, new LogIndex(7));
        fixture.RunToMark();
        fixture.Disk.FlipBit(fixture.SegmentPath(1), FirstBatch + WalFormat.BlockBytes + 300, 1);
        WriteAheadLog wal = fixture.CrashAndOpen(CrashMode.PowerLoss);
        Assert.Null(wal.Recovered(Shard0).VoteFloor);
        Assert.NotNull(wal.Recovered(Shard0).DamageReport);
        Assert.Equal([8, 9], TestEntries.ReadAll(wal, 0).Select(entry => entry.Index.Value));
    }

    [Fact]
    public void EntriesBehindADamageDoNotJoinOnToOlderOnesOfTheSameIndex()
    {
        // 1 to 9 of term 1; then 5 to 6 of term 2 in a batch that will be unreadable; then 7 of term 2.
        var fixture = new WalFixture(TwoShards);
        WriteAheadLog wal = fixture.Open();
        wal.Append(Shard0, TestEntries.Range(0, 1, 1, 9));
        fixture.Run();
        wal.Append(Shard0, TestEntries.Range(0, 2, 5, 6));
        fixture.Run();
        wal.Append(Shard0, TestEntries.Range(0, 2, 7, 7));
        fixture.RunToMark();
        using IDiskFile file = fixture.Disk.Open(fixture.SegmentPath(1), create: false);
        fixture.Disk.FlipBit(fixture.SegmentPath(1), SecondBatch(file).Position.Offset + 8, 1);
        wal = fixture.CrashAndOpen(CrashMode.PowerLoss);
        Assert.Equal((new Term(2), new LogIndex(7)), wal.Recovered(Shard0).VoteFloor);
        Assert.All(TestEntries.ReadAll(wal, 0), entry => Assert.Equal(new Term(1), entry.Term));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void ABadSegmentHeaderIsDamageAndLosesNoEntry(long sequence)
    {
        WalFixture fixture = ManySegments(out int count);
        fixture.Disk.FlipBit(fixture.SegmentPath(sequence), 9, 2);
        WriteAheadLog wal = fixture.CrashAndOpen(CrashMode.PowerLoss);
        Assert.Contains("header", wal.Recovered(Shard0).DamageReport, StringComparison.Ordinal);
        Assert.Equal(count, TestEntries.ReadAll(wal, 0).Count);
        Assert.Null(wal.Recovered(Shard0).VoteFloor);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    public void AMissingSegmentIsDamage(long sequence, int lowest)
    {
        WalFixture fixture = ManySegments(out int count);
        fixture.Disk.Delete(fixture.SegmentPath(sequence));
        WriteAheadLog wal = fixture.CrashAndOpen(CrashMode.ProcessDeath);
        Assert.Equal((new Term(1), new LogIndex(count)), wal.Recovered(Shard0).VoteFloor);
        Assert.NotNull(wal.Recovered(Shard0).DamageReport);
        Assert.True(wal.Recovered(Shard0).LastIndex.Value >= lowest);
        Assert.True(wal.Recovered(Shard0).LastIndex.Value < count);
        wal.Append(Shard0, TestEntries.Range(0, 1, wal.Recovered(Shard0).LastIndex.Value + 1, count));
        fixture.RunToMark();
        wal = fixture.CrashAndOpen(CrashMode.PowerLoss);
        Assert.Null(wal.Recovered(Shard0).VoteFloor);
        Assert.Equal(count, TestEntries.ReadAll(wal, 0).Count);
    }

    [Fact]
    public void ALogThatIsGoneMeansNoVote()
    {
        WalFixture fixture = ThreeBatches();
        fixture.Disk.Delete(fixture.SegmentPath(1));
        Assert.Null(fixture.CrashAndOpen(CrashMode.ProcessDeath).Recovered(Shard0).HardState);
        Assert.Null(fixture.CrashAndOpen(CrashMode.ProcessDeath).Recovered(Shard0).HardState);
    }

    [Fact]
    public void AnEntryThatRotsWhileTheNodeRunsIsNotHandedOut()
    {
        var fixture = new WalFixture(new WalOptions { SegmentBytes = 64 * 1024, CacheBytesPerShard = 0 });
        WriteAheadLog wal = fixture.Open();
        wal.Append(Shard0, TestEntries.Range(0, 1, 1, 3));
        fixture.Run();
        Assert.Equal(3, TestEntries.ReadAll(wal, 0).Count);
        fixture.Disk.FlipBit(fixture.SegmentPath(1), FirstBatch + BatchHeader.SizeOf(1, 1) + 5, 0);
        StorageDamagedException thrown = Assert.Throws<StorageDamagedException>(() => TestEntries.ReadAll(wal, 0));
        Assert.Contains("entry 1 of shard 0", thrown.Message, StringComparison.Ordinal);
    }

    /// <summary>Shard 0 has 1 to 3, 4 to 6 (alone in its batch) and 7 to 9; shard 1 has entries in the first and third batch.</summary>
    private static WalFixture ThreeBatches(bool mark = true)
    {
        var fixture = new WalFixture(TwoShards);
        WriteAheadLog wal = fixture.Open();
        wal.Append(Shard0, TestEntries.Range(0, 1, 1, 3));
        wal.Append(Shard1, TestEntries.Range(1, 1, 1, 2));
        fixture.Run();
        wal.Append(Shard0, TestEntries.Range(0, 1, 4, 6));
        fixture.Run();
        wal.Append(Shard0, TestEntries.Range(0, 1, 7, 9));
        wal.Append(Shard1, TestEntries.Range(1, 1, 3, 4));
        fixture.Run();
        if (mark) fixture.RunToMark();
        return fixture;
    }

    private static BatchHeader SecondBatch(IDiskFile file)
    {
        var reader = new SegmentReader(file, 1);
        BatchHeader first = reader.HeaderAt(FirstBatch)!;
        return reader.HeaderAt(first.End.Offset)!;
    }

    private static WalFixture Damaged()
    {
        WalFixture fixture = ThreeBatches();
        using IDiskFile file = fixture.Disk.Open(fixture.SegmentPath(1), create: false);
        fixture.Disk.FlipBit(fixture.SegmentPath(1), SecondBatch(file).Position.Offset + 60, 5);
        fixture.CrashAndOpen(CrashMode.PowerLoss);
        return fixture;
    }

    private static WalFixture ManySegments(out int count)
    {
        var fixture = new WalFixture();
        WriteAheadLog wal = fixture.Open();
        count = 0;
        while (fixture.Segments().Count() < 3)
        {
            count++;
            wal.Append(Shard0, TestEntries.Range(0, 1, count, count, 3000));
            fixture.Run();
        }

        fixture.RunToMark();
        return fixture;
    }
}
