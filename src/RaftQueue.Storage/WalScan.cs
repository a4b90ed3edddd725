using RaftQueue.Primitives;

namespace RaftQueue.Storage;

/// <summary>
/// Reads a whole log without changing it. A bad batch is damage when something later was written after it had been synced
/// (a later batch that says so, or a next segment); else it is the torn tail, and the log ends in front of it.
/// </summary>
internal sealed class WalScan : IDisposable
{
    private readonly IDisk _disk;
    private readonly string _walDirectory;
    private readonly List<ScannedSegment> _files = [];

    private WalScan(IDisk disk, string walDirectory, int shards)
    {
        _disk = disk;
        _walDirectory = walDirectory;
        Shards = new ReplayedShard[shards];
        for (int shard = 0; shard < shards; shard++)
        {
            Shards[shard] = new ReplayedShard();
        }
    }

    /// <summary>The segments of the log, oldest first.</summary>
    public List<ScannedSegment> Chain { get; } = [];

    public ReplayedShard[] Shards { get; }

    public List<WalDamage> Damages { get; } = [];

    /// <summary>All before this place was synced once.</summary>
    public WalPosition SyncedTo { get; private set; }

    /// <summary>Where the log ends in its newest segment.</summary>
    public int End { get; private set; } = SegmentHeader.Size;

    /// <summary>The whole batches of the newest segment, in order.</summary>
    public List<BatchHeader> NewestBatches { get; } = [];

    /// <summary>
    /// Set when the newest segment's file is shorter than it was made, or than any is made: synced batches are gone with its end, and nothing
    /// tells which. Of an older segment the next one tells where it ended.
    /// </summary>
    public string? CutShort { get; private set; }

    public long HighestSequence { get; private set; }

    public int BatchCount { get; private set; }

    public static WalScan Run(IDisk disk, string walDirectory, int shards, Action<string>? progress = null)
    {
        var scan = new WalScan(disk, walDirectory, shards);
        try
        {
            scan.OpenFiles();
            scan.LinkChain();
            for (int index = 0; index < scan.Chain.Count; index++)
            {
                progress?.Invoke(scan.Chain[index].Path);
                scan.Replay(index);
            }

            foreach (ReplayedShard shard in scan.Shards)
            {
                shard.Finish();
            }

            scan.FindStump();
            return scan;
        }
        catch
        {
            scan.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (ScannedSegment file in _files)
        {
            file.File.Dispose();
        }
    }

    /// <summary>The caller takes over the file of a segment.</summary>
    public void Keep(ScannedSegment segment) => _files.Remove(segment);

    private void OpenFiles()
    {
        foreach (string name in _disk.ListFiles(_walDirectory))
        {
            if (SegmentHeader.SequenceOf(name) is not { } sequence) continue;
            string path = Path.Combine(_walDirectory, name);
            IDiskFile file = LatchedFile.Open(_disk, path, create: false);
            var reader = new SegmentReader(file, sequence);
            _files.Add(new ScannedSegment(sequence, name, path, file, reader, reader.ReadSegmentHeader()));
            HighestSequence = Math.Max(HighestSequence, sequence);
        }

        _files.Sort((left, right) => left.Sequence.CompareTo(right.Sequence));
    }

    /// <summary>
    /// Follows the links back from the newest segment. Where a file is gone it was most likely recycled, but if it is missed
    /// the ones before it still hold what they held: they are read too, and do no harm when all in them is released.
    /// </summary>
    private void LinkChain()
    {
        ScannedSegment? segment = _files.FindLast(file => file.Header is not null || WasBegun(file));
        while (segment is not null)
        {
            Chain.Add(segment);
            long previous = segment.Header is { } header ? header.Previous.Segment : segment.Sequence - 1;
            segment = _files.Find(file => file.Sequence == previous)
                ?? _files.FindLast(file => file.Sequence < previous && file.Header is not null);
        }

        Chain.Reverse();
    }

    /// <summary>Whether a batch says that this segment's header, which cannot be read, was synced.</summary>
    private static bool WasBegun(ScannedSegment file) =>
        file.Reader.NextHeader(SegmentHeader.Size, file.Reader.Length, header => header.SyncedTo.Segment == file.Sequence) is not null;

    private void Replay(int chainIndex)
    {
        ScannedSegment segment = Chain[chainIndex];
        bool newest = chainIndex == Chain.Count - 1;
        SegmentHeader? next = newest ? null : Chain[chainIndex + 1].Header;
        bool endKnown = next is { } link && link.Previous.Segment == segment.Sequence;
        long limit = endKnown ? next!.Value.Previous.Offset : segment.Reader.Length;
        if (segment.Header is { } own)
        {
            Advance(own.Previous);
        }
        else
        {
            Damages.Add(new WalDamage(segment.Path, 0, SegmentHeader.Size, "the segment's header cannot be read"));
        }

        int offset = SegmentHeader.Size;
        while (offset + BatchHeader.FixedSize <= limit)
        {
            BatchHeader? batch = segment.Reader.HeaderAt(offset);
            bool whole = batch is not null && segment.Reader.DataHolds(batch) && TryApply(segment, batch);
#if PLANTED_BUGS
            if (!whole && !endKnown && PlantedBugs.Has(PlantedBug.DamageTakenForTornTail)) break;
#endif
            if (!whole && !endKnown && !IsProvenDamage(segment, offset)) break;
            if (whole && newest) NewestBatches.Add(batch!);
            offset = whole ? batch!.End.Offset : SkipDamage(segment, offset, batch, limit);
        }

        if (!newest) return;
        End = offset;
        if (segment.Header is { } header && segment.Reader.Length < header.SegmentBytes)
        {
            CutShort = $"'{segment.Path}' has {segment.Reader.Length} bytes and was made with {header.SegmentBytes}: the end of the log is gone";
        }
    }

    /// <summary>A segment behind those of the log whose file lost even its header. A crash does not leave one: spares are whole before they are named.</summary>
    private void FindStump()
    {
        long newest = Chain.Count == 0 ? 0 : Chain[^1].Sequence;
        if (_files.Find(file => file.Sequence > newest && file.Reader.Length < WalFormat.LeastSegmentBytes) is not { } stump) return;
        CutShort = $"'{stump.Path}' has {stump.Reader.Length} bytes, fewer than any segment: the end of the log is gone";
    }

    private void Advance(WalPosition syncedTo)
    {
        if (syncedTo > SyncedTo) SyncedTo = syncedTo;
    }

    private static bool IsProvenDamage(ScannedSegment segment, int offset)
    {
        var bad = new WalPosition(segment.Sequence, offset);
        return segment.Reader.NextHeader(
            offset + WalFormat.BlockBytes, segment.Reader.Length, header => header.SyncedTo > bad) is not null;
    }

    private int SkipDamage(ScannedSegment segment, int offset, BatchHeader? batch, long limit)
    {
        int next = batch?.End.Offset
            ?? segment.Reader.NextHeader(offset + WalFormat.BlockBytes, limit, _ => true)?.Position.Offset
            ?? (int)limit;
        string meaning = "a synced batch cannot be read";
        if (batch is not null)
        {
            Advance(batch.SyncedTo);
            ApplyRows(batch);
            foreach (BatchRecord record in batch.Records)
            {
                if (record.Shard.Value < Shards.Length) Shards[record.Shard.Value].Lost(record);
                meaning += $"; shard {record.Shard}, entries {record.Index} to {record.Last.Index}";
            }
        }

        Damages.Add(new WalDamage(segment.Path, offset, next, meaning));
        return next;
    }

    private void ApplyRows(BatchHeader batch)
    {
        foreach ((ShardId shard, ShardRow row) in batch.Rows)
        {
            if (shard.Value < Shards.Length) Shards[shard.Value].Before(row);
        }
    }

    /// <summary>False, with nothing applied, when the data is not the entries that the records tell of.</summary>
    private bool TryApply(ScannedSegment segment, BatchHeader batch)
    {
        ReadOnlySpan<byte> data = segment.Reader.DataOf(batch);
        if (!EntriesMatch(batch, data)) return false;
        Advance(batch.SyncedTo);
        ApplyRows(batch);
        int at = 0;
        int dataStart = batch.Position.Offset + batch.HeaderBytes;
        foreach (BatchRecord record in batch.Records)
        {
            ReplayedShard shard = Shards[record.Shard.Value];
            if (record.Kind == BatchRecordKind.Restart)
            {
                shard.Restart(record);
                continue;
            }

            shard.BeginRun(record);
            for (int count = 0; count < record.Count; count++)
            {
                EntryHeader.TryRead(data[at..], out EntryHeader header);
                int size = EntryHeader.Size + header.Length;
                shard.Add(new EntrySlot(header.Term, size, new WalPosition(segment.Sequence, dataStart + at), null));
                at += size;
            }
        }

        BatchCount++;
        return true;
    }

    private bool EntriesMatch(BatchHeader batch, ReadOnlySpan<byte> data)
    {
        int at = 0;
        foreach (BatchRecord record in batch.Records)
        {
            if (record.Shard.Value >= Shards.Length) return false;
            int end = at + record.Bytes;
            LogIndex index = record.Index;
            for (int count = 0; count < record.Count; count++, index = index.Next)
            {
                if (!EntryHeader.TryRead(data[at..end], out EntryHeader header)) return false;
                bool expected = header.Index == index && header.Shard == record.Shard && at + EntryHeader.Size + header.Length <= end;
                if (!expected) return false;
                at += EntryHeader.Size + header.Length;
            }

            if (at != end) return false;
        }

        return true;
    }
}
