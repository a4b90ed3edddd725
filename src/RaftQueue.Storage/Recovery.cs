using RaftQueue.Primitives;

namespace RaftQueue.Storage;

/// <summary>
/// Makes a log that was left behind by any end of its process usable again. Records may be readable that are not durable (a
/// killed process, a failed fsync), so everything behind the newest sync mark is written again into a fresh segment and
/// synced before anybody hears of it. The fresh segment's header, written last, puts it in the chain and with that cuts off
/// what followed the mark in the old one; before it is durable the old log stands as it was.
/// </summary>
internal static class Recovery
{
    /// <summary>
    /// Scans, copies and opens for appending. Throws <see cref="DiskException"/> when there is neither spare nor space for one segment, and
    /// <see cref="StorageDamagedException"/> when the newest one was cut short.
    /// </summary>
    public static RecoveredLog Run(IDisk disk, IClock clock, string walDirectory, WalOptions options)
    {
        disk.CreateDirectory(walDirectory);
        using WalScan scan = WalScan.Run(disk, walDirectory, options.Shards);
        if (scan.CutShort is { } cut) throw new StorageDamagedException($"{cut}; what this node promised is unknown: replace its directory by an empty one");
        var store = new SegmentStore(disk, walDirectory, options);
        try
        {
            store.CollectSpares(scan.Chain.Select(segment => segment.Name).ToHashSet(StringComparer.Ordinal));
            foreach (ScannedSegment segment in scan.Chain)
            {
                store.Adopt(new Segment(segment.Sequence, segment.Path, segment.File, segment.Reader.Length));
                scan.Keep(segment);
            }

            if (!store.TryActivate(scan.HighestSequence + 1, clock.MonotonicMicroseconds))
            {
                throw new DiskException($"no space for a segment of {options.SegmentBytes} bytes in '{walDirectory}'");
            }

            WalPosition end = CopyTail(scan, store, options);
            return new RecoveredLog(scan.Shards, store, end, scan.Damages, scan.Chain.Count == 0);
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    private static WalPosition CopyTail(WalScan scan, SegmentStore store, WalOptions options)
    {
        Segment fresh = store.Newest;
        ScannedSegment? old = scan.Chain.Count > 0 ? scan.Chain[^1] : null;
        WalPosition previous = default;
        WalPosition at = new(fresh.Sequence, SegmentHeader.Size);
        bool replaces = false;
        if (old is not null)
        {
            int mark = MarkIn(scan, old);
            replaces = Replaces(scan, old, mark, options);
            WalPosition copyFrom = new(old.Sequence, replaces ? SegmentHeader.Size : mark);
            previous = replaces ? old.Header!.Value.Previous : copyFrom;
            fresh = MakeRoom(store, fresh, scan.End - copyFrom.Offset, options);
            at = CopyBatches(scan, old.Reader, copyFrom, fresh, previous);
        }

        at = WriteMark(fresh, scan.Shards, at, previous);
        fresh.File.DataSync();
        fresh.File.WriteAt(0, new SegmentHeader(fresh.Sequence, fresh.Bytes, previous).Encode());
        fresh.File.DataSync();
        WalPosition end = WriteMark(fresh, scan.Shards, at, at);
        fresh.File.DataSync();
        if (replaces) store.DiscardReplaced(old!.Sequence);
        return end;
    }

    /// <summary>
    /// Whether the newest segment is copied whole and leaves the chain. It must when the mark is not inside it: its header may
    /// be readable only. It may when it holds little, so that restarts one after the other do not eat the reserve of a full
    /// disk; but not when something is damaged: it is evidence then.
    /// </summary>
    private static bool Replaces(WalScan scan, ScannedSegment old, int mark, WalOptions options) =>
        old.Header is not null && (mark == SegmentHeader.Size || (scan.Damages.Count == 0 && scan.End <= options.SegmentBytes / 4));

    private static int MarkIn(WalScan scan, ScannedSegment old) =>
        scan.SyncedTo.Segment == old.Sequence ? Math.Min(scan.SyncedTo.Offset, scan.End) : SegmentHeader.Size;

    /// <summary>Enlarges the fresh segment when the tail comes from a larger one.</summary>
    private static Segment MakeRoom(SegmentStore store, Segment fresh, int tailBytes, WalOptions options)
    {
        long markBytes = WalFormat.RoundUp(BatchHeader.SizeOf(options.Shards, 0));
        long needed = SegmentHeader.Size + tailBytes + (2 * markBytes);
        if (needed <= fresh.Bytes) return fresh;
        fresh.File.Allocate(needed);
        return store.ReplaceNewest(new Segment(fresh.Sequence, fresh.Path, fresh.File, needed));
    }

    /// <summary>Marks are left out: the one that follows says all that they said.</summary>
    private static WalPosition CopyBatches(WalScan scan, SegmentReader from, WalPosition copyFrom, Segment fresh, WalPosition previous)
    {
        var moved = new Stack<(WalPosition From, WalPosition To)>();
        WalPosition at = new(fresh.Sequence, SegmentHeader.Size);
        foreach (BatchHeader batch in scan.NewestBatches.Where(batch => batch.Position >= copyFrom && batch.Records.Length > 0))
        {
            moved.Push((batch.Position, at));
            at = Copy(from, batch, fresh, at, previous);
        }

        foreach ((WalPosition source, WalPosition target) in moved)
        {
            foreach (ReplayedShard shard in scan.Shards)
            {
                shard.Relocate(source, target);
            }
        }

        return at;
    }

    private static WalPosition Copy(SegmentReader reader, BatchHeader batch, Segment fresh, WalPosition at, WalPosition syncedTo)
    {
        byte[] bytes = new byte[WalFormat.RoundUp(batch.HeaderBytes + batch.DataBytes)];
        int used = batch.HeaderBytes + batch.DataBytes;
        reader.Get(batch.Position.Offset, used).CopyTo(bytes);
        uint dataCrc = Crc32C.Append(BatchHeader.StartDataCrc(at), bytes.AsSpan(batch.HeaderBytes, batch.DataBytes));
        BatchHeader.Seal(
            bytes.AsSpan(0, batch.HeaderBytes), at, syncedTo, batch.Rows.Length, batch.Records.Length, batch.DataBytes, dataCrc);
        fresh.File.WriteAt(at.Offset, bytes);
        return at with { Offset = at.Offset + bytes.Length };
    }

    private static WalPosition WriteMark(Segment fresh, ReplayedShard[] shards, WalPosition at, WalPosition syncedTo)
    {
        var builder = new BatchBuilder(shards.Length);
        builder.Start([.. shards.Select(shard => shard.Row)], fresh.Bytes - at.Offset);
        fresh.File.WriteGatherAt(at.Offset, builder.Finish(at, syncedTo, null, out WalPosition end));
        return end;
    }
}
