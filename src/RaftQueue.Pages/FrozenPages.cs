using RaftQueue.Primitives;

namespace RaftQueue.Pages;

/// <summary>
/// What changed between two freezes, taken over whole: making it costs the same however many pages changed. Made by the apply
/// loop, then read by the checkpoint loop. A frozen page is in one of three places, and until the writer has copied it
/// (<see cref="CopiedThrough"/>) the apply loop changes that only under <see cref="Gate"/>: in the frame its entry names; in
/// a frame of its own, because the page was written to or freed since; or in the file, because it was evicted. Exactly one
/// of a commit and <see cref="Abort"/> finishes it.
/// </summary>
public sealed class FrozenPages
{
    private readonly PageSet _changed;
    private readonly PageSet _freed;
    private readonly PagePlaces _places;
    private PageFrames _left = new(); // pages whose frozen content is in a frame of its own
    private readonly PageEntries _entries;
    private readonly nint[] _chunks;
    private readonly BufferPool _pool;
    private uint _copiedThrough;
    private volatile FrozenState _state;

    internal FrozenPages(
        CheckpointInfo info,
        (PageSet Changed, PageSet Freed, PagePlaces Places) changes,
        (PageEntries Entries, BufferPool Pool) memory,
        (CheckpointFile? File, StoreSlots? Slots, TableNode? Table) evictedTo,
        int allocated)
    {
        Info = info;
        (_changed, _freed, _places) = changes;
        (_entries, _pool) = memory;
        _chunks = _pool.Chunks;
        (File, Slots, BaseTable) = evictedTo;
        AllocatedPages = allocated;
    }

    public CheckpointInfo Info { get; }

    /// <summary>Pages changed or freed since the freeze before.</summary>
    public int ChangedPages => _changed.Count + _freed.Count;

    /// <summary>Pages in the whole state at the freeze.</summary>
    public int AllocatedPages { get; }

    /// <summary>The table of the checkpoint that the changes are relative to; null when all pages are here.</summary>
    internal TableNode? BaseTable { get; private set; }

    /// <summary>Where evicted pages stand; null when there are none.</summary>
    internal CheckpointFile? File { get; }

    /// <summary>What of it the store uses.</summary>
    internal StoreSlots? Slots { get; }

    /// <summary>The table after the changes, once committed.</summary>
    internal TableNode? CommittedTable { get; private set; }

    internal FrozenState State => _state;

    /// <summary>Held for a step that changes where a frozen page is, and while the writer copies one: never across IO.</summary>
    internal Lock Gate { get; } = new();

    /// <summary>The writer needs no page up to here any more. Set by the checkpoint loop, read by the apply loop.</summary>
    internal uint CopiedThrough => Volatile.Read(ref _copiedThrough);

    /// <summary>Pages that existed at the freeze and had changed. Not changed any more.</summary>
    internal PageSet Changed => _changed;

    /// <summary>Pages that had been freed. Not changed any more.</summary>
    internal PageSet Freed => _freed;

    /// <summary>Frozen content in frames of its own, by page. Under <see cref="Gate"/> while open.</summary>
    internal PageFrames Left => _left;

    /// <summary>Where frozen pages stand in the file. Under <see cref="Gate"/> while open.</summary>
    internal PagePlaces Places => _places;

    /// <summary>What was left, handed over whole: once it is finished.</summary>
    internal PageFrames TakeLeft()
    {
        Invariant.That(_state != FrozenState.Open, "the writer needs what was left until it is finished");
        PageFrames left = _left;
        _left = new PageFrames();
        return left;
    }

    /// <summary>Gives the checkpoint up: the next freeze contains these changes again. Safe from any one thread.</summary>
    public void Abort()
    {
        Invariant.That(_state == FrozenState.Open, "frozen pages are finished once");
        BaseTable = null;
        _state = FrozenState.Aborted;
    }

    /// <summary>Under <see cref="Gate"/>: whether the writer is still going to read the page from the frame its entry names.</summary>
    internal bool NeedsFrameOf(uint page) =>
        _state == FrozenState.Open
        && page > CopiedThrough
        && _changed.Contains(page)
        && _places[page].IsEmpty
        && !_left.Contains(page);

    /// <summary>Under <see cref="Gate"/>: whether the writer is still going to read the page from the frame that was left to it.</summary>
    internal bool NeedsLeftFrameOf(uint page) =>
        _state == FrozenState.Open && page > CopiedThrough && _places[page].IsEmpty;

    /// <summary>The first changed or freed page at or above <paramref name="from"/>.</summary>
    internal uint? NextFrom(uint from, out bool isFreed)
    {
        uint? changed = _changed.NextFrom(from);
        uint? freed = _freed.NextFrom(from);
        isFreed = freed is not null && (changed is null || freed < changed);
        return isFreed ? freed : changed;
    }

    /// <summary>The page's place in the file, empty while it has none.</summary>
    internal TableEntry PlaceOf(uint page)
    {
        lock (Gate) return _places[page];
    }

    /// <summary>
    /// Copies a page as it was at the freeze. False and its place when it stands in the file meanwhile. Pages only rise.
    /// </summary>
    internal unsafe bool TryCopy(uint page, Span<byte> destination, out TableEntry place)
    {
        lock (Gate)
        {
            place = _places[page];
            if (!place.IsEmpty)
            {
                Volatile.Write(ref _copiedThrough, page);
                return false;
            }

            if (!_left.TryGet(page, out uint frame))
            {
                ulong entry = Volatile.Read(ref _entries.Pointer[page]);
                Invariant.That((entry & PageEntries.Resident) != 0, "a frozen page is in memory or in the file");
                frame = (uint)(entry & PageEntries.FrameMask);
            }

            new ReadOnlySpan<byte>(BufferPool.Pointer(_chunks, frame), PageStore.PageSize).CopyTo(destination);
            Volatile.Write(ref _copiedThrough, page);
        }

        GC.KeepAlive(_pool);
        return true;
    }

    /// <summary>The writer is done with a page that needed no copy.</summary>
    internal void Pass(uint page)
    {
        lock (Gate) Volatile.Write(ref _copiedThrough, page);
    }

    /// <summary>These pages stand in the file now: they may be evicted.</summary>
    internal void Publish(List<(uint Page, TableEntry Place)> pages)
    {
        if (File is null) return;
        lock (Gate)
        {
            foreach ((uint page, TableEntry place) in pages)
            {
                File.Slots.Move(Slots!, place.Slot, SlotUse.Checkpoint, SlotUse.Frozen);
                _places.Set(page, place);
            }
        }
    }

    /// <summary>The changes are durable in a checkpoint whose table is <paramref name="table"/>.</summary>
    internal void Commit(TableNode table)
    {
        Invariant.That(_state == FrozenState.Open, "frozen pages are finished once");
        CommittedTable = table;
        BaseTable = null; // whoever still holds this must not hold the old table with it
        _state = FrozenState.Committed;
    }
}
