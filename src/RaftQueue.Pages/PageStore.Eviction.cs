using System.Runtime.CompilerServices;
using RaftQueue.Primitives;

namespace RaftQueue.Pages;

// Which pages are in memory. A hand goes round the frames (the CLOCK algorithm, with counts: GCLOCK, Smith 1978) and evicts
// those that no step used since it came by. Pins within one step count once (correlated references, as in LRU-K and 2Q), so
// that a page that only a listing touches goes at the hand's first visit, and those that every step touches stay. A page
// that is the same as in the file is only forgotten; one that changed is written to a free slot first, on this loop: whoever
// changes pages faster than they can be written waits for that, a batch at a time, and memory stays bounded.
public sealed unsafe partial class PageStore
{
    private const uint LeftOwner = 1u << 31;   // the frame holds what a checkpoint still has to copy
    private const uint QueuedOwner = 1u << 30; // the frame is a victim that is being written
    private const uint OwnerPage = QueuedOwner - 1;
    private const int MaxBatch = 64;
    private const uint WindowFrames = 1024; // of these the least used are evicted
    private const int MaxWindows = 4;
    private const int SweepRounds = 5;      // counts go up to 3: the fourth round meets zeros, the fifth whoever was used meanwhile
    private const int UnsyncedBatches = 4;  // times what is written between two fsyncs
    private const int PrefetchShare = 8;    // of memory, at most

    /// <summary>The most pages that are asked of the disk before the first of them is pinned.</summary>
    public const int MostPrefetched = 256;

    private readonly List<uint> _victims = []; // frames to be written
    private SlotWriter? _evictor;
    private uint[] _owners = new uint[1024];   // by frame: the page in it and the flags above; 0 is a free frame
    private ulong _step = 1UL << PageEntries.StepShift;
    private uint _hand;
    private int _limit = int.MaxValue;
    private long _coldReads;
    private long _prefetches;
    private long _evictions;
    private long _evictionWrites;
    private long _longestEviction;
    private int _visits;
    private int _mostVisits;

    /// <summary>
    /// Bytes of memory that are taken at most for each page of the state, in memory or not: by the store, the newest checkpoint's table,
    /// and a checkpoint being written, also when every page changed before it and again since (measured by a test; at rest about 25). An older
    /// checkpoint that a peer still reads has beside it what its table does not share, up to 16 bytes a page.
    /// </summary>
    public const int TableBytesPerPage = 80;

    /// <summary>No space could be had for a changed page that should leave: memory is above its bound until there is.</summary>
    public bool IsShortOfSpace { get; private set; }

    /// <summary>See <see cref="CheckpointFile.WantsTending"/>; only once pages were evicted to the file.</summary>
    public bool WantsTending => _evictionWrites > 0 && _file is { WantsTending: true };

    /// <summary>What the store did and holds.</summary>
    public PageCounters Counters =>
        new(AllocatedPages, _pool.Taken, DirtyPages, _coldReads, _prefetches, _evictions, _evictionWrites, _evictionWaits, _longestEviction);

    /// <summary>The most frames that one search for victims looked at.</summary>
    internal int MostVisits => _mostVisits;

    /// <summary>An entry or a read begins: what it touches again and again counts as used once.</summary>
    public void BeginStep() => _step = (_step + (1UL << PageEntries.StepShift)) & PageEntries.StepMask;

    /// <summary>Tries once more to come back under the bound, when there was no space.</summary>
    public void MakeRoomAgain()
    {
        if (_pool.Taken >= _limit) MakeRoom();
        else IsShortOfSpace = _aheadFailed = false;
    }

    /// <summary>See <see cref="CheckpointFile.Tend"/>. Any thread.</summary>
    public bool TendFile() => _file?.Tend() ?? true;

    private static ulong Unloaded(ulong entry) =>
        entry & ~(PageEntries.Resident | PageEntries.FrameMask | PageEntries.UseMask);

    private ulong UsedAgain(ulong entry)
    {
        if ((entry & PageEntries.UseMask) != PageEntries.UseMask) entry += PageEntries.UseOne;
        return (entry & ~PageEntries.StepMask) | _step;
    }

    private int LimitFor(uint capacity)
    {
        if (_options.MaxResidentPages == 0) return int.MaxValue;
        long table = (long)capacity * TableBytesPerPage / PageSize;
        return (int)Math.Max(MinResidentPages, _options.MaxResidentPages - table);
    }

    private uint TakeFrame()
    {
        if (_pool.Taken >= Math.Min(_aheadFrom, _limit)) HaveRoomMade();
        uint frame = _pool.Take();
        if (frame >= (uint)_owners.Length) Array.Resize(ref _owners, _owners.Length * 2);
        return frame;
    }

    private void HaveRoomMade()
    {
        LoopPhase? before = Meter?.Enter(LoopPhase.Evicts);
        if (_pool.Taken >= _aheadFrom) WriteAhead();
        if (_pool.Taken >= _limit) MakeRoom();
        if (before is { } phase) Meter!.Enter(phase);
    }

    private void ReleaseFrame(uint frame)
    {
        _owners[frame] = 0;
        _pool.Return(frame);
    }

    /// <summary>Reads a page that exists into memory and returns its entry, which the caller changes on and stores.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private ulong BringIn(uint page)
    {
        if ((_entry[page] & PageEntries.Allocated) == 0) NoSuchPage(new PageNumber(page));
        uint frame = TakeFrame();
        LoopPhase? before = Meter?.Enter(LoopPhase.ColdPage);
        try
        {
            _file!.ReadPage(PlaceOf(page), page, new Span<byte>(_pool.Pointer(frame), PageSize));
        }
        catch (Exception exception) when (exception is CheckpointDamagedException or DiskException)
        {
            ReleaseFrame(frame);
            _options.OnUnreadable?.Invoke(exception);
            throw;
        }

        if (before is { } phase) Meter!.Enter(phase);
        _coldReads++;
        _owners[frame] = page;
        ulong entry = (_entry[page] & ~(PageEntries.StepMask | PageEntries.UseMask)) | frame | PageEntries.Resident | _step;
        _entry[page] = entry;
        return entry;
    }

    /// <summary>
    /// The page, if it exists, is about to be pinned: the disk may begin to read it. For several that are known together, whose reads then
    /// wait for the disk together. Changes nothing.
    /// </summary>
    public void Prefetch(PageNumber page)
    {
        uint number = page.Value;
        if (number >= _capacity || (_entry[number] & (PageEntries.Allocated | PageEntries.Resident)) != PageEntries.Allocated) return;
        _prefetches++;
        _file!.Prefetch(PlaceOf(number));
    }

    /// <summary>
    /// How many pages that are to be used together are worth a <see cref="Prefetch"/> before the first is pinned: a small part of memory.
    /// 0 when all pages are in memory.
    /// </summary>
    public int PrefetchDepth => _pool.Taken < AllocatedPages ? Math.Min(MostPrefetched, _limit / PrefetchShare) : 0;

    /// <summary>Where a page that is not in memory stands.</summary>
    private TableEntry PlaceOf(uint page)
    {
        TableEntry place;
        if (_dirty.Contains(page)) place = _saved[page];
        else if (_frozen is { } frozen && frozen.Changed.Contains(page)) place = frozen.PlaceOf(page);
        else place = _baseTable?.Child((int)(page >> 16))?.Child((int)(page >> 8) & 0xFF) is { } leaf ? leaf[(int)page & 0xFF] : default;
        Invariant.That(!place.IsEmpty, "a page is in memory or in the file");
        return place;
    }

    /// <summary>The page changes: what was written of it is worth nothing.</summary>
    private void ForgetSaved(uint page)
    {
        TableEntry place = _saved.Remove(page);
        Invariant.That(!place.IsEmpty, "a saved page has a place");
        _file!.Slots.Release(_slots, place.Slot, SlotUse.Evicted);
    }

    /// <summary>
    /// Evicts a batch. When nothing can be (frames pinned, or copied by the checkpoint's writer and not in the file yet) memory
    /// grows beyond its bound by little; while the disk is full, up to <see cref="PageStoreOptions.OvershootPages"/>.
    /// </summary>
    private void MakeRoom()
    {
        long begin = _options.Microseconds?.Invoke() ?? 0;
        Settle();
        if (_pool.Taken >= _limit) EvictSome();
        if (_options.Microseconds is { } clock) _longestEviction = Math.Max(_longestEviction, clock() - begin);
        if (_pool.Taken < (long)_limit + _options.OvershootPages) return;
        throw new StateSpaceException(
            $"{_pool.Taken} pages of state are in memory, which has room for {_limit}, and the disk takes no more");
    }

    private void EvictSome()
    {
        FindVictims((int)Math.Clamp(Math.Max(_limit / 32, _pool.Taken - _limit + 1), 1, MaxBatch));
        if (_victims.Count > 0) WriteVictims();
    }

    /// <summary>Frees frames, or finds victims that must be written, so many together. Returns how many are free.</summary>
    private int FindVictims(int wanted)
    {
        int gone = 0;
        _visits = 0;
        for (int i = 0; i < MaxWindows && gone + _victims.Count < wanted; i++) gone += Sweep(wanted - gone);
        _mostVisits = Math.Max(_mostVisits, _visits);
        return gone;
    }

    /// <summary>
    /// The hand goes over the next frames until so many are free or victims, again and again if need be: then what was used least
    /// among these goes, however often it was, and no search is longer because memory is large. Returns how many are free.
    /// </summary>
    private int Sweep(int wanted)
    {
        uint frames = _pool.Used;
        uint begin = _hand;
        int gone = 0;
        for (int round = 0; round < SweepRounds; round++)
        {
            _hand = begin;
            for (uint i = Math.Min(frames, WindowFrames); i > 0; i--)
            {
                if (gone + _victims.Count >= wanted) return gone;
                _visits++;
                if (++_hand >= frames) _hand = 0;
                if (_owners[_hand] != 0 && TryDrop(_hand)) gone++;
            }
        }

        return gone;
    }

    /// <summary>The hand is at a frame in use. True when it was freed; a victim that must be written is queued.</summary>
    private bool TryDrop(uint frame)
    {
        uint owner = _owners[frame];
        if ((owner & QueuedOwner) != 0) return false;
        uint page = owner & OwnerPage;
        if ((owner & LeftOwner) != 0) return TryDropLeft(frame, page);
        ulong entry = _entry[page];
        if ((entry & PageEntries.Pins) != 0) return false;
        if ((entry & PageEntries.UseMask) != 0)
        {
            _entry[page] = entry - PageEntries.UseOne;
            return false;
        }

        if ((entry & PageEntries.AheadMask) != 0) return false; // about to be in the file
        if (_dirty.Contains(page))
        {
            if ((entry & PageEntries.Saved) == 0) return Queue(frame);
        }
        else if (_frozen is { } frozen && frozen.Changed.Contains(page))
        {
            lock (frozen.Gate)
            {
                if (frozen.NeedsFrameOf(page)) return Queue(frame);
                if (frozen.Places[page].IsEmpty) return false; // copied, and in the file soon
            }
        }

        Drop(page, frame);
        return true;
    }

    private bool TryDropLeft(uint frame, uint page)
    {
        if (_frozen is not { State: FrozenState.Open } frozen) return false; // on its way to be released
        lock (frozen.Gate)
        {
            if (!frozen.Left.TryGet(page, out uint left) || left != frame) return false;
            if (frozen.NeedsLeftFrameOf(page)) return Queue(frame);
            frozen.Left.Remove(page);
        }

        ReleaseFrame(frame);
        return true;
    }

    private bool Queue(uint frame)
    {
        _owners[frame] |= QueuedOwner;
        _victims.Add(frame);
        return false;
    }

    private void Drop(uint page, uint frame)
    {
        _entry[page] = Unloaded(_entry[page]);
        ReleaseFrame(frame);
        _evictions++;
    }

    /// <summary>Writes the victims in page order, so that neighbours stand together, and frees their frames.</summary>
    private void WriteVictims()
    {
        if (_wakeWriter is not null) _evictionWaits++;
        _evictor ??= new SlotWriter(_file!.Slots, _slots, SlotUse.Evicted, MaxBatch * PageSize);
        _slots!.LivePages = AllocatedPages;
        SyncWhenMuch();
        SortVictims();
        Span<TableEntry> places = stackalloc TableEntry[MaxBatch];
        int written = 0;
        while (written < _victims.Count && _evictor.TryNext(_victims.Count - written, out uint slot, out Span<byte> block))
        {
            new ReadOnlySpan<byte>(_pool.Pointer(_victims[written]), PageSize).CopyTo(block);
            places[written++] = new TableEntry(slot, Crc32C.Compute(block), PageHash.OfPage(block));
        }

        bool flushed = _evictor.TryFlush();
        _evictor.End();
        IsShortOfSpace = !flushed || written < _victims.Count;
        _aheadFailed = IsShortOfSpace;
        for (int i = 0; i < _victims.Count; i++)
        {
            _owners[_victims[i]] &= ~QueuedOwner;
            if (i >= written) continue;
            if (!flushed || !TryEvict(_victims[i], places[i])) _file!.Slots.Release(_slots, places[i].Slot, SlotUse.Evicted);
        }

        _victims.Clear();
    }

    private void SortVictims() =>
        _victims.Sort((one, other) => (_owners[one] & OwnerPage).CompareTo(_owners[other] & OwnerPage));

    /// <summary>What a frame holds stands in the file now. False when nobody needs it there, or it may not go yet.</summary>
    private bool TryEvict(uint frame, TableEntry place)
    {
        _evictionWrites++;
        uint owner = _owners[frame];
        uint page = owner & OwnerPage;
        if ((owner & LeftOwner) == 0 && _dirty.Contains(page))
        {
            _saved.Set(page, place);
            _entry[page] |= PageEntries.Saved;
            Drop(page, frame);
            return true;
        }

        FrozenPages frozen = _frozen!;
        lock (frozen.Gate)
        {
            // The writer may have copied it meanwhile.
            bool needed = (owner & LeftOwner) != 0 ? frozen.NeedsLeftFrameOf(page) : frozen.NeedsFrameOf(page);
            if (!needed) return false;
            _file!.Slots.Move(_slots!, place.Slot, SlotUse.Evicted, SlotUse.Frozen);
            frozen.Places.Set(page, place);
            frozen.Left.Remove(page);
        }

        if ((owner & LeftOwner) != 0) ReleaseFrame(frame);
        else Drop(page, frame);
        return true;
    }
}
