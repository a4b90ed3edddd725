using RaftQueue.Consensus;
using RaftQueue.Primitives;

namespace RaftQueue.Storage;

/// <summary>
/// One shard's log as its readers see it: queued entries at once, recent ones from memory, older ones from their segment
/// with their checksum looked at. Safe from any thread; changes come from the replica loop, places from the log's loop.
/// </summary>
internal sealed class ShardLog(ShardId shard, EntrySlots slots, SegmentStore segments, long cacheBytes) : IStoredLog
{
    /// <summary>Neighbours on disk are read together up to this size.</summary>
    private const int ReadTogetherBytes = 256 * 1024;

    private readonly Lock _gate = new();
    private LogIndex _cachedFrom = slots.Last.Index.Next;
    private long _cachedBytes;

    public LogIndex FirstIndex
    {
        get
        {
            lock (_gate)
            {
                return slots.FirstIndex;
            }
        }
    }

    public LogIndex LastIndex
    {
        get
        {
            lock (_gate)
            {
                return slots.Last.Index;
            }
        }
    }

    /// <summary>Bytes of entries held in memory.</summary>
    public long CachedBytes
    {
        get
        {
            lock (_gate)
            {
                return _cachedBytes;
            }
        }
    }

    public Term? TermAt(LogIndex index)
    {
        lock (_gate)
        {
            return slots.TermAt(index);
        }
    }

    /// <summary>Null for an entry that is not held.</summary>
    public EntrySlot? SlotAt(LogIndex index)
    {
        lock (_gate)
        {
            return slots.Holds(index) ? slots.At(index) : null;
        }
    }

    public int Read(LogIndex from, LogIndex to, long maxBytes, List<LogEntry> into)
    {
        var wanted = new List<EntrySlot>();
        lock (_gate)
        {
            long bytes = 0;
            for (LogIndex index = from; index <= to && slots.Holds(index); index = index.Next)
            {
                EntrySlot slot = slots.At(index);
                bytes += slot.Bytes;
                if (bytes > maxBytes && wanted.Count > 0) break;
                wanted.Add(slot);
            }
        }

        int before = into.Count;
        for (int next = 0; next < wanted.Count;)
        {
            if (wanted[next].Entry is { } cached)
            {
                into.Add(cached);
                next++;
                continue;
            }

            int together = CountTogether(wanted, next);
            if (!ReadTogether(wanted, next, together, from + next, into)) break;
            next += together;
        }

        return into.Count - before;
    }

    /// <summary>Makes the entries visible, dropping all from the first one's index on. Returns the entry in front of them.</summary>
    public LogPosition Append(LogEntry[] entries)
    {
        lock (_gate)
        {
            LogIndex before = entries[0].Index.Previous;
            Term? term = slots.TermAt(before);
            Invariant.That(term is not null, "entries follow an entry that is held, or the last released one");
            for (LogIndex dropped = before.Next; slots.Holds(dropped); dropped = dropped.Next)
            {
                if (slots.At(dropped).Entry is { } cached) _cachedBytes -= cached.SizeBytes;
            }

            slots.CutAfter(before);
            _cachedFrom = LogIndex.Min(_cachedFrom, before.Next);
            foreach (LogEntry entry in entries)
            {
                slots.Add(new EntrySlot(entry.Term, entry.SizeBytes, default, entry));
                _cachedBytes += entry.SizeBytes;
            }

            return new LogPosition(term.Value, before);
        }
    }

    /// <summary>Forgets entries up to <paramref name="upTo"/> or the last one. Returns the last forgotten, null when nothing changed.</summary>
    public LogPosition? Release(LogIndex upTo)
    {
        lock (_gate)
        {
            LogIndex through = LogIndex.Min(upTo, slots.Last.Index);
            if (through <= slots.Base.Index) return null;
            for (LogIndex index = slots.FirstIndex; index <= through; index = index.Next)
            {
                if (slots.At(index).Entry is { } cached) _cachedBytes -= cached.SizeBytes;
            }

            slots.CutThrough(through);
            _cachedFrom = LogIndex.Max(_cachedFrom, slots.FirstIndex);
            return slots.Base;
        }
    }

    /// <summary>Lets the log begin after <paramref name="position"/>. True when all entries were dropped, false when a matching tail is kept.</summary>
    public bool RestartAt(LogPosition position)
    {
        lock (_gate)
        {
            if (slots.Contains(position)) return false;
            slots.Reset(position);
            _cachedFrom = slots.FirstIndex;
            _cachedBytes = 0;
            return true;
        }
    }

    /// <summary>An entry now stands in a segment, so that its memory may go when the cache is full.</summary>
    public void Placed(LogEntry entry, WalPosition place)
    {
        lock (_gate)
        {
            // Superseded or released meanwhile: nobody will look for it.
            if (!slots.Holds(entry.Index)) return;
            ref EntrySlot slot = ref slots.At(entry.Index);
            if (!ReferenceEquals(slot.Entry, entry)) return;
            slot.Place = place;
            while (_cachedBytes > cacheBytes && slots.Holds(_cachedFrom))
            {
                ref EntrySlot oldest = ref slots.At(_cachedFrom);
                if (oldest.Entry is not null && oldest.Place.Segment == 0) return;
                _cachedBytes -= oldest.Entry?.SizeBytes ?? 0;
                oldest.Entry = null;
                _cachedFrom = _cachedFrom.Next;
            }
        }
    }

    private static int CountTogether(List<EntrySlot> slots, int first)
    {
        int count = 1;
        long bytes = slots[first].Bytes;
        while (first + count < slots.Count && slots[first + count].Entry is null)
        {
            EntrySlot previous = slots[first + count - 1];
            EntrySlot next = slots[first + count];
            bytes += next.Bytes;
            bool neighbours = next.Place.Segment == previous.Place.Segment
                && next.Place.Offset == previous.Place.Offset + previous.Bytes;
            if (!neighbours || bytes > ReadTogetherBytes) break;
            count++;
        }

        return count;
    }

    /// <summary>False when the segment was recycled since: the entries were released.</summary>
    private bool ReadTogether(List<EntrySlot> wanted, int first, int count, LogIndex index, List<LogEntry> into)
    {
        WalPosition place = wanted[first].Place;
        Segment? segment = segments.TryAcquire(place.Segment);
        if (segment is null) return false;
        try
        {
            int bytes = 0;
            for (int next = first; next < first + count; next++)
            {
                bytes += wanted[next].Bytes;
            }

            byte[] data = GC.AllocateUninitializedArray<byte>(bytes);
            int read = segment.File.ReadAt(place.Offset, data);
            int at = 0;
            for (int next = first; next < first + count; next++, index = index.Next)
            {
                EntrySlot slot = wanted[next];
                bool whole = at + slot.Bytes <= read;
                if (!whole || !LogEntry.TryParse(data.AsMemory(at, slot.Bytes), out LogEntry? entry)
                    || entry.Index != index || entry.Term != slot.Term || entry.Header.Shard != shard)
                {
                    throw new StorageDamagedException(
                        $"'{segment.Path}' offset {place.Offset + at}: entry {index} of shard {shard} is not what was written");
                }

                into.Add(entry);
                at += slot.Bytes;
            }

            return true;
        }
        finally
        {
            segments.Return(segment);
        }
    }
}
