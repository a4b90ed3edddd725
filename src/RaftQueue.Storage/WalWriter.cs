using RaftQueue.Consensus;
using RaftQueue.Primitives;

namespace RaftQueue.Storage;

/// <summary>
/// The writing half of the log, used by its loop alone: turns operations into batches, knows what of each shard is written
/// and what is synced, and gives segments back. Only <see cref="DurableIndex"/> and <see cref="PinnedBy"/> are for any thread.
/// </summary>
internal sealed class WalWriter
{
    private readonly IClock _clock;
    private readonly SegmentStore _segments;
    private readonly ShardLog[] _logs;
    private readonly BatchBuilder _builder;
    private readonly Queue<WalOperation> _pending = new();

    // As of the batches written, and what the next one says.
    private readonly ShardRow[] _rows;
    private readonly SegmentUse[] _use;
    private readonly bool[] _touched;

    // Up to where a written batch says that a shard is released: segments are recycled only by what is durable of it.
    private readonly LogIndex[] _writtenReleases;
    private readonly LogIndex[] _syncedReleases;
    private readonly long[] _durable;
    private readonly int[] _pinned;

    // Kept free at the end of a segment for marks, so that a release can be made durable when everything else is full.
    private readonly long _markReserve;
    private WalPosition _end;
    private WalPosition _syncedTo;
    private byte[]? _segmentHeader;

    public WalWriter(IClock clock, RecoveredLog log, ShardLog[] logs, long segmentBytes)
    {
        _clock = clock;
        _segments = log.Store;
        _logs = logs;
        _builder = new BatchBuilder(logs.Length);
        _end = log.End;
        _syncedTo = log.End;
        _rows = [.. log.Shards.Select(shard => shard.Row)];
        _use = [.. log.Shards.Select(shard => UseOf(shard.Slots))];
        _touched = new bool[logs.Length];
        _writtenReleases = [.. _rows.Select(row => row.Released.Index)];
        _syncedReleases = [.. _writtenReleases];
        _durable = [.. _rows.Select(row => row.Last.Index.Value)];
        _pinned = new int[logs.Length];
        _markReserve = Math.Max(2 * _builder.RoomFor(0), segmentBytes / 32 / WalFormat.BlockBytes * WalFormat.BlockBytes);
        LargestEntry = segmentBytes - SegmentHeader.Size - _markReserve - _builder.RoomFor(0) - WalFormat.BlockBytes;
        Trim();
    }

    /// <summary>Bytes of the largest entry that an empty segment takes.</summary>
    public long LargestEntry { get; }

    /// <summary>See <see cref="WriteAheadLog.Meter"/>.</summary>
    public LoopMeter? Meter { get; set; }

    public bool HasPending => _pending.Count > 0;

    public bool IsSynced => _syncedTo == _end;

    /// <summary>Whether something was written or released that no sync mark covers.</summary>
    public bool MarkWanted { get; private set; }

    /// <summary>The last batch is a sync mark that covers all entries: none of them can be taken for a torn tail.</summary>
    public bool IsMarked { get; private set; }

    /// <summary>When the last batch was written, in monotonic microseconds.</summary>
    public long LastBatchAt { get; private set; }

    /// <summary>When the oldest operation was queued that is not synced yet; 0 when there is none.</summary>
    public long UnsyncedSince { get; private set; }

    public LogIndex DurableIndex(ShardId shard) => new(Volatile.Read(ref _durable[shard.Value]));

    public int PinnedBy(ShardId shard) => Volatile.Read(ref _pinned[shard.Value]);

    public void Add(WalOperation operation)
    {
        // A release of what is written waits behind nothing: when there is no room for entries it is what makes room.
        if (operation.Kind == WalOperationKind.Release && operation.Position.Index <= _rows[operation.Shard.Value].Last.Index)
        {
            ApplyRelease(operation);
            return;
        }

        // In the rows before the batch of the restart is begun: whoever reads that batch reads the floor with it.
        ref ShardRow row = ref _rows[operation.Shard.Value];
        if (!row.Floor.IsUpToDateWith(operation.Floor)) row = row with { Floor = operation.Floor };
        _pending.Enqueue(operation);
    }

    /// <summary>One gather write of what waits, as far as it fits. False when nothing was written: nothing waits, or there is no segment.</summary>
    public bool WriteBatch()
    {
        if (!TakeReleases()) return false;
        WalOperation first = _pending.Peek();
        int entryBytes = first.Kind == WalOperationKind.Append ? first.Entries[first.Taken].SizeBytes : 0;
        if (!EnsureRoom(_builder.RoomFor(entryBytes) + _markReserve)) return false;
        if (UnsyncedSince == 0) UnsyncedSince = first.EnqueuedAt;
        Start(Room - _markReserve);
        while (TakeReleases() && AddToBatch(_pending.Peek()))
        {
            _pending.Dequeue();
        }

        Write();
        return true;
    }

    /// <summary>Whether a release is known that no batch tells of yet: it is what frees segments.</summary>
    public bool ReleaseWaits
    {
        get
        {
            for (int shard = 0; shard < _rows.Length; shard++)
            {
                if (_rows[shard].Released.Index > _writtenReleases[shard]) return true;
            }

            return false;
        }
    }

    /// <summary>Writes and syncs a batch without records. False when there is no room; the last of it is for releases.</summary>
    public bool WriteMark()
    {
        if (!EnsureRoom(_builder.RoomFor(0) + (ReleaseWaits ? 0 : _markReserve))) return false;
        Start(Room);
        Write();
        Sync();
        MarkWanted = false;
        IsMarked = true;
        return true;
    }

    public void Sync() => Sync(_segments.Newest);

    /// <summary>Tells of the shards that the last batch brought entries of.</summary>
    public void ReportPersisted(IWalListener? listener)
    {
        for (int shard = 0; shard < _touched.Length; shard++)
        {
            if (!_touched[shard]) continue;
            _touched[shard] = false;
            listener?.Persisted(new ShardId((ushort)shard), _rows[shard].Last.Index, _rows[shard].Last.Term);
        }
    }

    /// <summary>Recycles the segments that no shard needs, by what is durable.</summary>
    public void Trim()
    {
        if (!IsSynced) return;
        Meter?.Enter(LoopPhase.Trims);
        long oldest = _end.Segment;
        for (int shard = 0; shard < _rows.Length; shard++)
        {
            long? needed = _use[shard].OldestNeeded(_syncedReleases[shard], _rows[shard].Last.Index);
            oldest = Math.Min(oldest, needed ?? oldest);
            Volatile.Write(ref _pinned[shard], needed is { } sequence ? _segments.CountFrom(sequence) : 0);
        }

        _segments.TrimBefore(oldest);
    }

    /// <summary>When the oldest operation was queued that waits or is not synced; 0 when there is none.</summary>
    public long OldestSince() => UnsyncedSince != 0 ? UnsyncedSince : _pending.TryPeek(out WalOperation? first) ? first.EnqueuedAt : 0;

    private long Room => _segments.Newest.Bytes - _end.Offset;

    private static SegmentUse UseOf(EntrySlots slots)
    {
        var use = new SegmentUse();
        long segment = 0;
        for (LogIndex index = slots.FirstIndex; slots.Holds(index); index = index.Next)
        {
            if (slots.At(index).Place.Segment == segment) continue;
            segment = slots.At(index).Place.Segment;
            use.Wrote(segment, index);
        }

        return use;
    }

    private void ApplyRelease(WalOperation operation)
    {
        ref ShardRow row = ref _rows[operation.Shard.Value];
        if (operation.Position.Index <= row.Released.Index) return;
        row = row with { Released = operation.Position };
        MarkWanted = true;
    }

    /// <summary>Releases at the front only change what the next batch says. False when nothing is left to write.</summary>
    private bool TakeReleases()
    {
        while (_pending.TryPeek(out WalOperation? operation) && operation.Kind == WalOperationKind.Release)
        {
            ApplyRelease(operation);
            _pending.Dequeue();
        }

        return _pending.Count > 0;
    }

    private void Start(long room)
    {
        _builder.Start(_rows, room);
        for (int shard = 0; shard < _rows.Length; shard++)
        {
            _writtenReleases[shard] = _rows[shard].Released.Index;
        }
    }

    /// <summary>Whether all of the operation is in the batch.</summary>
    private bool AddToBatch(WalOperation operation)
    {
        int shard = operation.Shard.Value;
        if (operation.Kind == WalOperationKind.Restart)
        {
            if (!_builder.TryAddRestart(operation.Shard, operation.Position)) return false;
            _rows[shard] = (_rows[shard] with { Released = operation.Position }).EndingAt(operation.Position);
            _writtenReleases[shard] = operation.Position.Index;
            _use[shard].Clear();
            _touched[shard] = false;
            return true;
        }

        if (_builder.AddRun(operation) is { } run)
        {
            _rows[shard] = _rows[shard].EndingAt(run.Last);
            _use[shard].Wrote(_end.Segment, run.Index);
            _touched[shard] = true;
        }

        return operation.Taken == operation.Entries.Length;
    }

    private bool EnsureRoom(long bytes)
    {
        if (Room >= bytes) return true;
        Segment old = _segments.Newest;
        Meter?.Enter(LoopPhase.NextSegment);
        if (!_segments.TryActivate(old.Sequence + 1, _clock.MonotonicMicroseconds)) return false;

        // The new segment's header says where the old one ends, and with that that all of it is synced.
        if (!IsSynced) Sync(old);
        Segment segment = _segments.Newest;
        _segmentHeader = new SegmentHeader(segment.Sequence, segment.Bytes, _end).Encode();
        _end = new WalPosition(segment.Sequence, SegmentHeader.Size);
        return true;
    }

    private void Write()
    {
        Meter?.Enter(LoopPhase.WritesLog);
        IReadOnlyList<ReadOnlyMemory<byte>> parts = _builder.Finish(_end, _syncedTo, _segmentHeader, out WalPosition end);
        _segments.Newest.File.WriteGatherAt(_segmentHeader is null ? _end.Offset : 0, parts);
        int dataStart = _end.Offset + _builder.HeaderBytes;
        foreach ((LogEntry entry, int offset) in _builder.Entries)
        {
            _logs[entry.Header.Shard.Value].Placed(entry, _end with { Offset = dataStart + offset });
        }

        _segmentHeader = null;
        _end = end;
        MarkWanted = true;
        IsMarked = false;
        LastBatchAt = _clock.MonotonicMicroseconds;
    }

    private void Sync(Segment segment)
    {
        Meter?.Enter(LoopPhase.SyncsLog);
#if PLANTED_BUGS
        SyncCarelessly(segment.File);
#else
        segment.File.DataSync();
#endif
        _syncedTo = _end;
        UnsyncedSince = 0;
        for (int shard = 0; shard < _rows.Length; shard++)
        {
            _syncedReleases[shard] = _writtenReleases[shard];
            Volatile.Write(ref _durable[shard], _rows[shard].Last.Index.Value);
        }
    }
#if PLANTED_BUGS

    private static void SyncCarelessly(IDiskFile file)
    {
        try
        {
            file.DataSync();
        }
        catch (DiskException) when (PlantedBugs.Has(PlantedBug.SyncErrorIgnored))
        {
            return;
        }
        catch (DiskException) when (PlantedBugs.Has(PlantedBug.SyncRetried))
        {
            file.DataSync();
        }
    }
#endif
}
