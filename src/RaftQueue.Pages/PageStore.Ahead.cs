using RaftQueue.Primitives;

namespace RaftQueue.Pages;

// Free frames kept ahead, so that whoever needs one need not wait for the disk. Before memory is full, pages that leave next are
// copied in batches to a loop of its own, which finds slots for them and writes them; only then they are forgotten here, and only
// if they did not change meanwhile: every change clears in the page's entry which batch it is in. Nothing of this is part of a
// checkpoint before a superblock names it. When the writer cannot keep up, the apply loop evicts as if there were none.
public sealed unsafe partial class PageStore
{
    private const int AheadBatches = 7;
    private const int MostAheadFrames = 4096;
    private const int LeastAheadFrames = 4;
    private const int AheadShare = 32; // of the frames there may be
    private const int BatchesInStock = 4;

    private readonly Lock _aheadGate = new(); // held while a batch is written: nothing is closed under it
    private readonly Lock _queueGate = new();
    private readonly Queue<AheadBatch> _aheadQueue = new();
    private readonly Queue<AheadBatch> _underWay = new(); // in the order in which they are written
    private readonly Stack<AheadBatch> _idleBatches = new();
    private SlotWriter? _aheadWriter;
    private Action? _wakeWriter;
    private int _aheadFrom = int.MaxValue;
    private int _aheadPages;
    private int _pagesUnderWay;
    private bool _aheadFailed; // no space: the apply loop finds out itself when there is some again
    private long _evictionWaits;

    /// <summary>
    /// From now on somebody calls <see cref="WriteNextAhead"/> on a thread of his own, once for each call of <paramref name="wake"/>.
    /// Only with bounded memory it makes a difference.
    /// </summary>
    public void AttachWriter(Action wake)
    {
        _wakeWriter = wake;
        PlanAhead();
    }

    /// <summary>
    /// Writes the next batch of pages that leave memory. True while more wait. One thread at a time, any. A failing write or fsync
    /// throws, and the process must stop; a full disk does not.
    /// </summary>
    public bool WriteNextAhead()
    {
        lock (_aheadGate)
        {
            AheadBatch? batch;
            bool more;
            lock (_queueGate)
            {
                if (_disposed || !_aheadQueue.TryDequeue(out batch)) return false;
                more = _aheadQueue.Count > 0;
            }

            SyncWhenMuch();
            WriteBatch(batch, _aheadWriter ??= new SlotWriter(_file!.Slots, _slots, SlotUse.Ahead, MaxBatch * PageSize));
            batch.IsWritten = true;
            return more;
        }
    }

    /// <summary>Takes back what was written ahead. True while something is on its way. Between two entries.</summary>
    public bool CollectAhead()
    {
        while (_underWay.TryPeek(out AheadBatch? batch) && batch.IsWritten)
        {
            _underWay.Dequeue();
            Collect(batch);
            _idleBatches.Push(batch);
        }

        return _underWay.Count > 0;
    }

    private void PlanAhead()
    {
        if (_wakeWriter is null || _limit == int.MaxValue) return;
        int stock = Math.Clamp(_limit / AheadShare, LeastAheadFrames, MostAheadFrames);
        _aheadFrom = _limit - stock;
        _aheadPages = Math.Clamp(stock / BatchesInStock, 1, MaxBatch);
        if (_idleBatches.Count + _underWay.Count > 0) return;
        for (int tag = AheadBatches; tag > 0; tag--) _idleBatches.Push(new AheadBatch(tag, MaxBatch));
    }

    /// <summary>The checkpoint loop syncs long before, so that nobody here need wait for it.</summary>
    private void SyncWhenMuch()
    {
        if (_file!.Slots.UnsyncedBytes + (MaxBatch * PageSize) > (long)UnsyncedBatches * _file.Options.SyncBytes) _file.Sync();
    }

    private static void WriteBatch(AheadBatch batch, SlotWriter writer)
    {
        batch.Placed = 0;
        while (batch.Placed < batch.Count && writer.TryNext(batch.Count - batch.Placed, out uint slot, out Span<byte> block))
        {
            batch.Copy(batch.Placed).CopyTo(block);
            batch.Places[batch.Placed++] = new TableEntry(slot, Crc32C.Compute(block), PageHash.OfPage(block));
        }

        batch.IsFlushed = writer.TryFlush();
        writer.End();
    }

    /// <summary>Fewer frames are free than should be: lets go of what is in the file, and sends on its way what is not.</summary>
    private void WriteAhead()
    {
        long begin = _options.Microseconds?.Invoke() ?? 0;
        CollectAhead();
        while (!_aheadFailed && _idleBatches.Count > 0 && _pool.Taken - _pagesUnderWay >= _aheadFrom + _aheadPages)
        {
            int gone = FindVictims(_aheadPages);
            if (gone + _victims.Count == 0) break; // all is pinned, or on its way
            if (_victims.Count > 0) Send(_idleBatches.Pop());
        }

        if (_options.Microseconds is { } clock) _longestEviction = Math.Max(_longestEviction, clock() - begin);
    }

    private void Send(AheadBatch batch)
    {
        SortVictims();
        batch.Count = 0;
        batch.IsWritten = false;
        batch.Frozen = _frozen;
        foreach (uint frame in _victims)
        {
            uint owner = _owners[frame];
            if ((owner & LeftOwner) == 0)
            {
                _owners[frame] = owner &= ~QueuedOwner;
                _entry[owner & OwnerPage] |= (ulong)batch.Tag << PageEntries.AheadShift;
            }

            batch.Frames[batch.Count] = frame;
            batch.Owners[batch.Count] = owner;
            new ReadOnlySpan<byte>(_pool.Pointer(frame), PageSize).CopyTo(batch.Copy(batch.Count++));
        }

        _victims.Clear();
        _slots!.LivePages = AllocatedPages;
        _pagesUnderWay += batch.Count;
        _underWay.Enqueue(batch);
        lock (_queueGate) _aheadQueue.Enqueue(batch);
        _wakeWriter!();
    }

    private void Collect(AheadBatch batch)
    {
        _pagesUnderWay -= batch.Count;
        _aheadFailed = !batch.IsFlushed || batch.Placed < batch.Count;
        for (int i = 0; i < batch.Count; i++)
        {
            bool isLeft = (batch.Owners[i] & LeftOwner) != 0;
            bool isAsCopied = isLeft ? IsStillLeft(batch, i) : IsUnchanged(batch, i);
            if (i >= batch.Placed) continue;
            bool isUsed = isAsCopied && batch.IsFlushed && (isLeft ? TryTakeOverLeft(batch, i) : TryTakeOver(batch, i));
            if (!isUsed) _file!.Slots.Release(_slots, batch.Places[i].Slot, SlotUse.Ahead);
        }

        batch.Frozen = null;
    }

    /// <summary>Whether the page still holds what was copied; from now on it is in no batch.</summary>
    private bool IsUnchanged(AheadBatch batch, int index)
    {
        ref ulong entry = ref _entry[batch.Owners[index] & OwnerPage];
        if ((entry & PageEntries.AheadMask) != (ulong)batch.Tag << PageEntries.AheadShift) return false;
        entry &= ~PageEntries.AheadMask;
        return true;
    }

    /// <summary>Whether the frame still holds what was left to the checkpoint that is being written.</summary>
    private bool IsStillLeft(AheadBatch batch, int index)
    {
        if (_owners[batch.Frames[index]] != batch.Owners[index]) return false;
        _owners[batch.Frames[index]] &= ~QueuedOwner;
        return ReferenceEquals(_frozen, batch.Frozen) && _frozen is { State: FrozenState.Open };
    }

    /// <summary>The page stands in the file now, and leaves memory unless it was used meanwhile. False when nobody needs it there.</summary>
    private bool TryTakeOver(AheadBatch batch, int index)
    {
        _evictionWrites++;
        uint page = batch.Owners[index] & OwnerPage;
        TableEntry place = batch.Places[index];
        if (_dirty.Contains(page))
        {
            if ((_entry[page] & PageEntries.Saved) != 0) return false;
            _file!.Slots.Move(_slots!, place.Slot, SlotUse.Ahead, SlotUse.Evicted);
            _saved.Set(page, place);
            _entry[page] |= PageEntries.Saved;
        }
        else if (!TryTakeOverFrozen(page, place, isLeft: false))
        {
            return false;
        }

        ulong entry = _entry[page];
        if ((entry & (PageEntries.Pins | PageEntries.UseMask)) == 0) Drop(page, batch.Frames[index]);
        return true;
    }

    private bool TryTakeOverLeft(AheadBatch batch, int index)
    {
        _evictionWrites++;
        if (!TryTakeOverFrozen(batch.Owners[index] & OwnerPage, batch.Places[index], isLeft: true)) return false;
        ReleaseFrame(batch.Frames[index]);
        return true;
    }

    /// <summary>What a checkpoint being written still has to copy stands in the file now. False when it was copied meanwhile.</summary>
    private bool TryTakeOverFrozen(uint page, TableEntry place, bool isLeft)
    {
        if (_frozen is not { State: FrozenState.Open } frozen) return false;
        lock (frozen.Gate)
        {
            if (!(isLeft ? frozen.NeedsLeftFrameOf(page) : frozen.NeedsFrameOf(page))) return false;
            _file!.Slots.Move(_slots!, place.Slot, SlotUse.Ahead, SlotUse.Frozen);
            frozen.Places.Set(page, place);
            frozen.Left.Remove(page);
        }

        return true;
    }
}
