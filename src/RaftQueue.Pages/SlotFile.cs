using RaftQueue.Primitives;

namespace RaftQueue.Pages;

/// <summary>
/// The slots of a checkpoint file: who uses which, so that none is written that a kept checkpoint, a reader, the checkpoint
/// being written or an evicted page stands in; and how much was written since the last fsync. Safe from any thread: the
/// apply loop evicts to it while the checkpoint loop writes.
/// </summary>
internal sealed partial class SlotFile
{
    private const int TrimExtents = 2; // less is not worth a call
    private const int TrimStepExtents = 16;
    private const int RunSlots = 8; // adjacent slots are one operation of the disk

    private readonly CheckpointFile _owner;
    private readonly IDiskFile _file;
    private readonly CheckpointOptions _options;
    private readonly Lock _gate = new();
    private readonly Lock _growing = new();
    private readonly Lock _syncing = new();
    private SlotMap _busy = new();       // all of the below, and what the kept checkpoints and readers use
    private readonly List<StoreSlots> _stores = [];
    private SlotMap _checkpoint = new();
    private SlotMap _left = new(); // nobody's, but pages that a transfer fetched may stand there
    private uint _cursor = Superblock.Places; // every slot below is busy
    private uint _runCursor = Superblock.Places; // where the search for the next run begins
    private int _run = RunSlots; // longer ones there are none: the whole file was searched, and no kept checkpoint went since
    private volatile bool _evicts;
    private uint _slots;
    private long _free;
    private long _unsynced;

    public SlotFile(CheckpointFile owner, IDiskFile file, CheckpointOptions options)
    {
        _owner = owner;
        _file = file;
        _options = options;
        _slots = (uint)(file.Length / PageStore.PageSize);
        _free = Math.Max(0, _slots - (long)Superblock.Places);
    }

    /// <summary>Bytes written and not yet synced.</summary>
    public long UnsyncedBytes => Interlocked.Read(ref _unsynced);

    /// <summary>Pages of a store left memory for the file since it was opened.</summary>
    public bool Evicts => _evicts;

    /// <summary>Slots in use, superblocks aside.</summary>
    public long BusySlots
    {
        get
        {
            lock (_gate) return _busy.Count();
        }
    }

    /// <summary>Whether something uses the slot.</summary>
    public bool IsBusy(uint slot)
    {
        lock (_gate) return _busy.Contains(slot);
    }

    /// <summary>Slots taken for evicted pages, those of the frozen state included.</summary>
    public long EvictedSlots
    {
        get
        {
            lock (_gate) return _stores.Sum(store => store.Evicted.Count() + store.Frozen.Count() + store.Ahead.Count());
        }
    }

    /// <summary>Pages in the largest state that is open, as of its last freeze or eviction.</summary>
    public long LargestStore
    {
        get
        {
            long largest = 0;
            lock (_gate)
            {
                foreach (StoreSlots store in _stores) largest = Math.Max(largest, store.LivePages);
            }

            return largest;
        }
    }

    /// <summary>Slots that can be taken without growing the file.</summary>
    public long FreeSlots
    {
        get
        {
            lock (_gate) return _free;
        }
    }

    /// <summary>
    /// Takes up to <paramref name="most"/> adjacent slots, growing the file when there are none; before it becomes too large, space is
    /// made in it. Where pages leave memory all the time runs of some slots are looked for all through the file, and it grows to
    /// <see cref="CheckpointFile.RoomySlots"/> for them, if the disk has room to spare: a disk writes a run as quickly as a single slot. Else,
    /// and in a file that is larger, the lowest that are free. False: no space could be had.
    /// </summary>
    public bool TryTake(StoreSlots? store, SlotUse use, int most, out uint first, out int count)
    {
        if (use != SlotUse.Checkpoint) _evicts = true;
        if (_evicts && TryTakeRun(store, use, most, out first, out count)) return true;
        while (true)
        {
            uint slots;
            lock (_gate)
            {
                first = _busy.NextAbsent(_cursor);
                count = TakeFrom(first, store, use, most);
                _cursor = first + (uint)count;
                if (count > 0) return true;
                slots = _slots;
            }

            long bound = use == SlotUse.Checkpoint ? _owner.SoftBoundSlots : _owner.HardBoundSlots;
            bool isLarge = slots + (_options.ExtentBytes / PageStore.PageSize) > bound;
            if (isLarge && _owner.TryMakeSpace()) continue;
            if (!TryGrow(slots) && !GiveUpLeft()) return false;
        }
    }

    private bool TryTakeRun(StoreSlots? store, SlotUse use, int most, out uint first, out int count)
    {
        long roomy = _owner.RoomySlots;
        int extent = _options.ExtentBytes / PageStore.PageSize;
        while (true)
        {
            uint slots;
            lock (_gate)
            {
                slots = _slots;
                first = slots;
                count = 0;
                if (slots > roomy || _run == 1) return false;
                if (TryFindRun(Math.Min(most, _run), out first)) count = TakeFrom(first, store, use, most);
                if (count > 0) _runCursor = first + (uint)count;
            }

            if (count > 0) return true;
            if (slots + extent <= roomy && _owner.HasRoomToSpare && TryGrow(slots)) continue;
            // Shorter ones do. Neither they nor the disk are asked again for each page.
            lock (_gate) _run = Math.Max(1, _run / 2);
        }
    }

    private bool TryFindRun(int length, out uint first) =>
        _busy.TryFindAbsent(_runCursor, _slots, length, out first) || _busy.TryFindAbsent(Superblock.Places, _slots, length, out first);

    private int TakeFrom(uint first, StoreSlots? store, SlotUse use, int most)
    {
        int count = 0;
        while (count < most && first + (uint)count < _slots && _busy.Add(first + (uint)count))
        {
            MapOf(store, use).Add(first + (uint)count);
            _cached.Add(first + (uint)count);
            count++;
        }

        _free -= count;
        return count;
    }

    /// <summary>Gives a taken slot back.</summary>
    public void Release(StoreSlots? store, uint slot, SlotUse use)
    {
        lock (_gate)
        {
            Invariant.That(MapOf(store, use).Contains(slot), "a slot is given back by whom it was taken for");
            MapOf(store, use).Remove(slot);
            _busy.Remove(slot);
            _free++;
            _cursor = Math.Min(_cursor, slot);
        }
    }

    /// <summary>A taken slot serves something else from now on.</summary>
    public void Move(StoreSlots store, uint slot, SlotUse from, SlotUse to)
    {
        lock (_gate)
        {
            Invariant.That(MapOf(store, from).Contains(slot), "a slot changes its use from the one it has");
            MapOf(store, from).Remove(slot);
            MapOf(store, to).Add(slot);
        }
    }

    /// <summary>A store begins to use the file.</summary>
    public StoreSlots Open()
    {
        var store = new StoreSlots();
        lock (_gate) _stores.Add(store);
        return store;
    }

    /// <summary>A store's slots are free.</summary>
    public void Close(StoreSlots store, IEnumerable<SlotMap> kept)
    {
        lock (_gate)
        {
            _stores.Remove(store);
            SetKept(kept);
        }
    }

    /// <summary>The evicted pages are part of the frozen state now.</summary>
    public void FreezeEvicted(StoreSlots store)
    {
        lock (_gate)
        {
            store.Frozen = store.Evicted;
            store.Evicted = new SlotMap();
        }
    }

    /// <summary>
    /// The checkpoint being written is over. When it was committed, it is among the kept ones, and what was evicted of the frozen
    /// state of <paramref name="committed"/> is part of it.
    /// </summary>
    public void EndCheckpoint(IEnumerable<SlotMap> kept, StoreSlots? committed)
    {
        lock (_gate)
        {
            _checkpoint = new SlotMap();
            if (committed is not null) committed.Frozen = new SlotMap();
            SetKept(kept);
        }
    }

    /// <summary>A transfer is over before its time: what it took is held, so that the next one need not fetch it again.</summary>
    public void EndTransfer(IEnumerable<SlotMap> kept)
    {
        lock (_gate)
        {
            _left.AddAll(_checkpoint);
            EndCheckpoint(kept, committed: null);
        }
    }

    /// <summary>
    /// An earlier process may have left pages of a transfer in any slot that is free: all are held until <see cref="KeepLeft"/> or
    /// <see cref="GiveUpLeft"/>.
    /// </summary>
    public void HoldFree()
    {
        lock (_gate)
        {
            for (uint slot = _busy.NextAbsent(Superblock.Places); slot < _slots; slot = _busy.NextAbsent(slot + 1))
            {
                _left.Add(slot);
                _busy.Add(slot);
            }

            _free = 0;
        }
    }

    /// <summary>The slots that are held for what a transfer left.</summary>
    public SlotMap LeftSlots()
    {
        lock (_gate) return _left.Clone();
    }

    /// <summary>A slot that is held becomes part of the checkpoint being written. False when it is not held any more.</summary>
    public bool TryUseLeft(uint slot)
    {
        lock (_gate)
        {
            if (!_left.Contains(slot)) return false;
            _left.Remove(slot);
            _checkpoint.Add(slot);
            return true;
        }
    }

    /// <summary>All slots that are held but these are free.</summary>
    public void KeepLeft(SlotMap kept)
    {
        lock (_gate)
        {
            SlotMap free = _left.Clone();
            free.RemoveAll(kept);
            _left.RemoveAll(free);
            _busy.RemoveAll(free);
            _free += free.Count();
            _cursor = Superblock.Places;
            _run = RunSlots;
        }
    }

    /// <summary>Space is needed, or nothing is fetched any more: no slot is held. False when none was.</summary>
    public bool GiveUpLeft()
    {
        lock (_gate)
        {
            if (_left.End == 0) return false;
            KeepLeft(new SlotMap());
            return true;
        }
    }

    /// <summary>These checkpoints are not kept any more, but stores that are open may go on reading them until they are closed.</summary>
    public void HoldForStores(IReadOnlyList<SlotMap> checkpoints)
    {
        lock (_gate)
        {
            foreach (StoreSlots store in _stores) store.Held.AddRange(checkpoints);
        }
    }

    /// <summary>Which checkpoints are kept or read changed.</summary>
    public void SetKept(IEnumerable<SlotMap> kept)
    {
        lock (_gate)
        {
            _busy = new SlotMap();
            foreach (SlotMap map in kept)
            {
                _busy.AddAll(map);
                _left.RemoveAll(map);
            }

            _busy.AddAll(_checkpoint);
            _busy.AddAll(_left);
            foreach (StoreSlots store in _stores)
            {
                _busy.AddAll(store.Evicted);
                _busy.AddAll(store.Frozen);
                _busy.AddAll(store.Ahead);
                foreach (SlotMap held in store.Held) _busy.AddAll(held);
            }

            _cached.AddAll(_busy);
            _cursor = Superblock.Places;
            _run = RunSlots;
            _free = _slots - Superblock.Places - _busy.Count();
        }
    }

    /// <summary>Writes whole slots. A full disk throws <see cref="DiskException"/> like any other error.</summary>
    public void Write(uint firstSlot, ReadOnlySpan<byte> blocks)
    {
        _file.WriteAt((long)firstSlot * PageStore.PageSize, blocks);
        Interlocked.Add(ref _unsynced, blocks.Length);
    }

    /// <summary>All that was written before the call is durable. A failure is final for the process.</summary>
    public void Sync()
    {
        lock (_syncing)
        {
            long written = Interlocked.Read(ref _unsynced);
            if (written == 0) return;
            SyncFile();
            Interlocked.Add(ref _unsynced, -written);
        }
    }

    /// <summary>The file is durable, superblocks included. A failure is final for the process: no further sync of it returns.</summary>
    public void SyncFile()
    {
        lock (_syncing) _file.DataSync();
    }

    /// <summary>Grows the file by one extent, unless it has grown beyond <paramref name="slots"/> already. False: no space.</summary>
    public bool TryGrow(uint slots)
    {
        lock (_growing)
        {
            lock (_gate)
            {
                if (_slots > slots) return true;
            }

            try
            {
                _file.Allocate(((long)slots * PageStore.PageSize) + _options.ExtentBytes);
            }
            catch (DiskException full) when (full.IsDiskFull)
            {
                return false;
            }

            lock (_gate)
            {
                uint grown = (uint)(_file.Length / PageStore.PageSize);
                _free += grown - Math.Max(_slots, Superblock.Places);
                _run = RunSlots;
                _slots = grown;
            }

            return true;
        }
    }

    /// <summary>
    /// Makes the file shorter by one step when much of its end is free: so many slots stay free in all, as far as there are. Not while a
    /// checkpoint is written. While the file system drops a part of a file nobody reads or writes the rest of it, so that each step is
    /// small. True while there is more.
    /// </summary>
    public bool Trim(long keepFree)
    {
        int extent = _options.ExtentBytes / PageStore.PageSize;
        lock (_growing)
        {
            long slots;
            bool more;
            lock (_gate)
            {
                long end = Math.Max(_busy.End, Superblock.Places);
                long freeBelow = end - Superblock.Places - _busy.Count();
                slots = end + Math.Max(0, keepFree - freeBelow);
                slots = (slots + extent - 1) / extent * extent;
                if (_slots - slots < TrimExtents * extent) return false;
                more = _slots - slots > TrimStepExtents * extent;
                if (more) slots = _slots - (TrimStepExtents * extent);
                _free -= _slots - slots;
                _slots = (uint)slots;
                _cursor = Math.Min(_cursor, _slots);
            }

            _file.SetLength(slots * PageStore.PageSize);
            return more;
        }
    }

    /// <summary>Slots that the file has.</summary>
    public uint Slots
    {
        get
        {
            lock (_gate) return _slots;
        }
    }

    private SlotMap MapOf(StoreSlots? store, SlotUse use) => use switch
    {
        SlotUse.Checkpoint => _checkpoint,
        SlotUse.Evicted => store!.Evicted,
        SlotUse.Ahead => store!.Ahead,
        _ => store!.Frozen,
    };
}
