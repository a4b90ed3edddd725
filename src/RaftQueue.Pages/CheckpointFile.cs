using RaftQueue.Primitives;

namespace RaftQueue.Pages;

/// <summary>
/// A file of 4 KiB slots with the newest two checkpoints of one shard. Pages and table nodes that both share stand in it
/// once. The first two slots are superblocks, written in turn after everything that they lead to is durable, so that a
/// crash at any write leaves the checkpoint before whole. One writer at a time, on the checkpoint loop; readers may be
/// opened and closed on any thread.
/// </summary>
public sealed partial class CheckpointFile : IDisposable
{
    private readonly IDisk _disk;
    private readonly string _path;
    private readonly IDiskFile _file;
    private readonly Lock _lock = new();
    private readonly List<CheckpointReader> _readers = [];
    private readonly List<CheckpointDamage> _damage = [];
    private CheckpointState? _newest;
    private CheckpointState? _older;
    private TableNode? _newestTable; // the older one's is read again if it is ever needed
    private long _lastSequence;
    private uint _slotsWrittenLast;
    private int _stores;
    private bool _writing;
    private bool _disposed;

    private CheckpointFile(IDisk disk, string path, IDiskFile file, CheckpointOptions options)
    {
        Invariant.That(options.ExtentBytes > 0 && options.ExtentBytes % PageStore.PageSize == 0, "extents are whole slots");
        Invariant.That(options.SliceBytes > 0 && options.SliceBytes % PageStore.PageSize == 0, "slices are whole slots");
        _disk = disk;
        _path = path;
        _file = file;
        Options = options;
        Slots = new SlotFile(this, file, options);
        // Pages that are read again are neighbours by chance only, and who reads many at once asks for all of them.
        file.Advise(DiskAdvice.RandomReads, 0, 0);
    }

    /// <summary>The newest checkpoint that can be read; null when there is none.</summary>
    public CheckpointInfo? Newest => Locked(_ => _newest?.Superblock.Info);

    /// <summary>
    /// The one before, which <see cref="Verify"/> falls back to when the newest is damaged: the log is needed from here on.
    /// </summary>
    public CheckpointInfo? Older => Locked(_ => _older?.Superblock.Info);

    /// <summary>The hash of the newest checkpoint's pages, the same wherever they are the same; 0 when there is none.</summary>
    public ulong RootHash => Locked(_ => _newest?.Superblock.Root.Hash ?? 0);

    /// <summary>That of the one before; 0 when there is none.</summary>
    public ulong OlderRootHash => Locked(_ => _older?.Superblock.Root.Hash ?? 0);

    /// <summary>Pages in the newest checkpoint.</summary>
    public long Pages => Locked(_ => _newest?.Superblock.Pages ?? 0);

    /// <summary>Bytes of the file.</summary>
    public long FileBytes => _file.Length;

    /// <summary>What was found damaged when opening and verifying, bounded; empty when all is well.</summary>
    public IReadOnlyList<CheckpointDamage> Damage => _damage;

    /// <summary>
    /// The checkpoint loop should <see cref="Tend"/> to the file: the apply loop, which writes evicted pages to it, syncs and
    /// grows it only when nobody else does.
    /// </summary>
    public bool WantsTending => Slots.UnsyncedBytes >= Options.SyncBytes / 2 || Slots.FreeSlots < LowSlots;

    internal CheckpointOptions Options { get; }

    internal SlotFile Slots { get; }

    internal IDiskFile Disk => _file;

    /// <summary>The newest checkpoint with the slots that it uses; null when there is none.</summary>
    internal CheckpointState? NewestState => Locked(_ => _newest);

    /// <summary>
    /// Opens the file, making an empty one if there is none, and reads both superblocks and tables. A checkpoint whose
    /// superblock or table is damaged is left out and told in <see cref="Damage"/>. What is
    /// <see cref="Newest"/> afterwards is durable, also when the process that wrote it died before its fsync.
    /// </summary>
    public static CheckpointFile OpenOrCreate(IDisk disk, string path, CheckpointOptions options)
    {
        IDiskFile file = LatchedFile.Open(disk, path, create: true);
        disk.SyncDirectory(DirectoryOf(path));
        var opened = new CheckpointFile(disk, path, file, options);
        opened.ReadStates();
        opened.MakeDurable();
        opened.HoldWhatIsLeft();
        return opened;
    }

    /// <summary>
    /// The state of the newest checkpoint. No page is read: each is, and is verified, when it is first pinned, and then pinning
    /// it throws when it is damaged. Having no checkpoint is a broken invariant.
    /// </summary>
    public PageStore Load(PageStoreOptions options)
    {
        Invariant.That(_newest is not null, "there is a checkpoint to load");
        return PageStore.Load(options, this, _newestTable!);
    }

    /// <summary>
    /// Reads every page of the newest checkpoint; when one is damaged the checkpoint is dropped and told in
    /// <see cref="Damage"/>, and the one before is verified. Throws <see cref="CheckpointDamagedException"/>, naming the first
    /// damaged page, when none is whole; having none at all is a broken invariant. Before anything is loaded.
    /// </summary>
    public void Verify()
    {
        Invariant.That(_newest is not null, "there is a checkpoint to verify");
        CheckpointDamagedException? first = null;
        while (_newest is { } state)
        {
            if (PageRun.FindDamage(_file, state.Superblock.Info, _newestTable!) is not { } damage) return;
            first ??= new CheckpointDamagedException(_path, damage);
            _damage.Add(damage);
            FallBack();
        }

        throw first!;
    }

    /// <summary>All that was written is durable. A failure is final for the process. Any thread.</summary>
    public void Sync() => Slots.Sync();

    /// <summary>Syncs what is much, and takes space ahead where there is little. False when there is none. Any thread.</summary>
    public bool Tend()
    {
        if (Slots.UnsyncedBytes >= Options.SyncBytes / 2) Slots.Sync();
        while (Slots.FreeSlots < LowSlots)
        {
            if (!MayGrowAhead)
            {
                if (TryMakeSpace()) continue;
                break;
            }

            if (!Slots.TryGrow(Slots.Slots)) return false;
        }

        return true;
    }

    private bool MayGrowAhead => Slots.Slots + ExtentSlots <= SoftBoundSlots;

    private int LowSlots => 2 * Options.ExtentBytes / PageStore.PageSize;

    /// <summary>
    /// Begins to write a checkpoint. The frozen pages come from a store that was loaded from this file's newest checkpoint,
    /// or whose last commit made it, or that was never part of a checkpoint.
    /// </summary>
    public CheckpointWriter BeginWrite(FrozenPages frozen)
    {
        lock (_lock)
        {
            Invariant.That(!_disposed && !_writing, "one checkpoint is written at a time");
            bool whole = frozen.BaseTable is null;
            bool follows = whole || ReferenceEquals(frozen.BaseTable, _newestTable);
            Invariant.That(follows, "changes are relative to the newest checkpoint");
            Invariant.That(frozen.File is null || frozen.File == this, "evicted pages stand in the file of the checkpoint");
            _writing = true;
            IsWriting(frozen.AllocatedPages);
            return new CheckpointWriter(
                this,
                frozen,
                NewWriter(),
                whole ? new SlotMap() : _newest!.Map.Clone(),
                whole ? default : _newest!.Superblock.Root);
        }
    }

    /// <summary>
    /// Takes space for the next checkpoint ahead, one extent a call, until as much is free as the last one wrote (at most
    /// <see cref="CheckpointOptions.MaxReserveBytes"/>). False when there is enough, no space can be taken, or the file would become too
    /// large. Checkpoint loop, while nothing is written.
    /// </summary>
    public bool ReserveAhead()
    {
        lock (_lock) Invariant.That(!_disposed && !_writing, "space is taken ahead between checkpoints");
        if (Slots.FreeSlots >= Math.Min(_slotsWrittenLast, Options.MaxReserveBytes / PageStore.PageSize)) return false;
        return MayGrowAhead && Slots.TryGrow(Slots.Slots);
    }

    /// <summary>
    /// Gives the free end of the file back to the disk by one step, but for what <see cref="ReserveAhead"/> would take again. True while
    /// there is more. Checkpoint loop, while nothing is written.
    /// </summary>
    public bool Trim()
    {
        lock (_lock) Invariant.That(!_disposed && !_writing, "a file is made shorter between checkpoints");
        // After a purge nobody's reading keeps the large state for long.
        while (Slots.Slots > SoftBoundSlots && TryMakeSpace())
        {
        }

        // Where pages leave memory all the time what is given back would soon be taken again.
        if (Slots.Evicts && Slots.Slots <= RoomySlots) return false;
        return Slots.Trim(Math.Min(_slotsWrittenLast, Options.MaxReserveBytes / PageStore.PageSize) + LowSlots);
    }

    /// <summary>
    /// Where pages leave memory: what free slots hold need not be kept in the page cache. Some of them a call; true while there is more.
    /// Checkpoint loop, after a checkpoint is written.
    /// </summary>
    public bool ForgetFree() => Slots.ForgetFree();

    /// <summary>A reader of the newest checkpoint, which is kept until it is disposed; null when there is none.</summary>
    public CheckpointReader? OpenReader()
    {
        lock (_lock)
        {
            if (_disposed || _newest is null) return null;
            var reader = new CheckpointReader(_file, Slots, _newest, _newestTable!, ReaderClosed);
            _readers.Add(reader);
            return reader;
        }
    }

    /// <summary>Closes the file, once the last reader and the last store are disposed.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_disposed) return;
            _disposed = true;
            CloseWhenUnused();
        }
    }

    internal static string DirectoryOf(string path) => Path.GetDirectoryName(path) is { Length: > 0 } directory ? directory : ".";

    internal void Commit(FrozenPages frozen, TableEntry rootEntry, TableNode root, SlotMap map, long blocksPut)
    {
        lock (_superblocks)
        {
            CheckpointState? newest = Locked(_ => _newest);
            int place = NextPlace;
            var superblock = new Superblock(frozen.Info, _lastSequence + 1, rootEntry, (uint)frozen.AllocatedPages, map.End);
            WriteSuperblock(superblock, place, erasesOther: _remains is not null);
            lock (_lock)
            {
                _older = newest;
                _remains = null;
                _remainsTable = null;
                _newest = new CheckpointState(superblock, place, map);
                _newestTable = root;
                _lastSequence++;
                _slotsWrittenLast = (uint)blocksPut;
                _writing = false;
                _readFromOlder = frozen.File is not null;
                Slots.EndCheckpoint(KeptMaps(), frozen.Slots);
            }
        }

        ForgetWhatIsLeft();
    }

#if PLANTED_BUGS
    internal void WriteSuperblockAhead(FrozenPages frozen, TableEntry rootEntry, SlotMap map)
    {
        int place = NextPlace;
        var superblock = new Superblock(frozen.Info, _lastSequence + 1, rootEntry, (uint)frozen.AllocatedPages, map.End);
        _file.WriteAt((long)place * PageStore.PageSize, superblock.Encode());
    }
#endif

    internal void WriterEnded()
    {
        lock (_lock)
        {
            if (!_writing) return;
            _writing = false;
            Slots.EndCheckpoint(KeptMaps(), committed: null);
        }
    }

    /// <summary>A store reads pages from this file until <see cref="StoreClosed"/>, also when the file is disposed before.</summary>
    internal StoreSlots StoreOpened()
    {
        lock (_lock)
        {
            _stores++;
            return Slots.Open();
        }
    }

    internal void StoreClosed(StoreSlots store)
    {
        lock (_lock)
        {
            _stores--;
            StoreSettled();
            Slots.Close(store, KeptMaps());
            CloseWhenUnused();
        }
    }

    /// <summary>
    /// Reads one page and verifies it: <see cref="CheckpointDamagedException"/> when it is not what was written there,
    /// <see cref="DiskException"/> when the disk cannot read it. Any thread.
    /// </summary>
    internal void ReadPage(TableEntry place, uint page, Span<byte> destination)
    {
        int read = _file.ReadAt((long)place.Slot * PageStore.PageSize, destination);
        if (read == PageStore.PageSize && PageRun.Matches(place, destination)) return;
        throw new CheckpointDamagedException(
            _path,
            new CheckpointDamage(Newest?.Index.Value, new PageNumber(page), $"wrong checksum in slot {place.Slot}"));
    }

    /// <summary><see cref="ReadPage"/> is going to be asked for this page: the disk may begin. Any thread.</summary>
    internal void Prefetch(TableEntry place) =>
        _file.Advise(DiskAdvice.ReadSoon, (long)place.Slot * PageStore.PageSize, PageStore.PageSize);

    /// <summary>As <see cref="ReadPage"/>; false when the page cannot be had.</summary>
    internal bool TryReadPage(TableEntry place, Span<byte> destination) =>
        SlotRead.TryReadAt(_file, (long)place.Slot * PageStore.PageSize, destination) == PageStore.PageSize
        && PageRun.Matches(place, destination);

    private void ReaderClosed(CheckpointReader reader)
    {
        lock (_lock)
        {
            _readers.Remove(reader);
            Slots.SetKept(KeptMaps());
            CloseWhenUnused();
        }
    }

    private SlotWriter NewWriter() => new(Slots, null, SlotUse.Checkpoint, Options.SliceBytes);

    private void CloseWhenUnused()
    {
        if (_disposed && _readers.Count == 0 && _stores == 0) _file.Dispose();
    }

    private IEnumerable<SlotMap> KeptMaps() => Protected().Select(state => state.Map);

    private IEnumerable<CheckpointState> Protected()
    {
        foreach (CheckpointState state in Kept()) yield return state;
#if PLANTED_BUGS
        if (PlantedBugs.Has(PlantedBug.SlotReusedUnderReader)) yield break;
#endif
        foreach (CheckpointReader reader in _readers) yield return reader.State;
    }

    private T Locked<T>(Func<CheckpointFile, T> read)
    {
        lock (_lock) return read(this);
    }

    private void ReadStates()
    {
        var found = new List<(Superblock Superblock, int Place)>();
        byte[] block = new byte[PageStore.PageSize];
        for (int place = 0; place < Superblock.Places; place++)
        {
            int read = SlotRead.TryReadAt(_file, (long)place * PageStore.PageSize, block);
            if (Superblock.TryDecode(block.AsSpan(0, read)) is { } superblock)
            {
                found.Add((superblock, place));
                _lastSequence = Math.Max(_lastSequence, superblock.Sequence);
            }
            else if (block.AsSpan(0, read).IndexOfAnyExcept((byte)0) >= 0 || (read == 0 && _file.Length > 0))
            {
                _damage.Add(new CheckpointDamage(null, null, $"superblock {place} is torn or damaged"));
            }
        }

        foreach ((Superblock superblock, int place) in found.OrderByDescending(state => state.Superblock.Sequence))
        {
            if (TryReadState(superblock, place) is not { } read) continue;
            if (_newest is null) (_newest, _newestTable) = read;
            else _older = read.State;
        }

        Slots.SetKept(KeptMaps());
    }

    /// <summary>
    /// The checkpoint before the newest takes its place, whose own is written over by the next. False, and nothing changes, when there is none
    /// that can be read. Before anything is loaded.
    /// </summary>
    public bool TryGoBack()
    {
        if (_older is null || TryReadState(_older.Superblock, _older.Place) is not { } older) return false;
        lock (_lock)
        {
            Invariant.That(!_writing, "what is loaded is decided before the next is written");
            (_newest, _newestTable) = older;
            _older = null;
            Slots.SetKept(KeptMaps());
        }

        return true;
    }

    private void FallBack()
    {
        Superblock? superblock = _older?.Superblock;
        (CheckpointState State, TableNode Table)? older = superblock is null ? null : TryReadState(superblock, _older!.Place);
        lock (_lock)
        {
            _newest = older?.State;
            _newestTable = older?.Table;
            _older = null;
            Slots.SetKept(KeptMaps());
        }
    }

    // What could be read may only have been in the page cache, even after an fsync that failed: the same bytes once more.
    private void MakeDurable()
    {
        if (_newest is null) return;
        _file.WriteAt((long)_newest.Place * PageStore.PageSize, _newest.Superblock.Encode());
        Slots.SyncFile();
    }

    private (CheckpointState State, TableNode Table)? TryReadState(Superblock superblock, int place)
    {
        try
        {
            (TableNode? root, SlotMap map) = TableReader.Read(
                _file,
                superblock,
                damage => throw new CheckpointDamagedException(_path, damage),
                _newest?.Superblock.Root ?? default,
                _newestTable);
            return (new CheckpointState(superblock, place, map), root!);
        }
        catch (CheckpointDamagedException damaged)
        {
            _damage.Add(damaged.Damage);
            return null;
        }
    }
}
