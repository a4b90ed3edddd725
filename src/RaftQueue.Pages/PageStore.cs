using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using RaftQueue.Primitives;

namespace RaftQueue.Pages;

/// <summary>
/// The paged memory in which one shard's replicated state lives. Which pages exist depends only on the history of
/// <see cref="Allocate"/> and <see cref="Free"/> (the lowest free number is given first), so that the set of allocated
/// pages, which every checkpoint records, is the whole allocation state. Not all of them are in memory: see
/// PageStore.Eviction.cs. Single-threaded (apply loop).
/// </summary>
public sealed unsafe partial class PageStore : IDisposable
{
    /// <summary>Bytes of a page.</summary>
    public const int PageSize = 4096;

    /// <summary>Page numbers are below this (64 GiB of pages).</summary>
    public const int MaxPages = 1 << 24;

    /// <summary>The least <see cref="PageStoreOptions.MaxResidentPages"/>: what one step pins at once fits several times.</summary>
    public const int MinResidentPages = 16;

    private readonly PageStoreOptions _options;
    private readonly CheckpointFile? _file; // where pages are evicted to and read from
    private readonly StoreSlots? _slots;    // what of it this store uses
    private readonly BufferPool _pool = new();
    private readonly PageEntries _entries = new();
    private readonly PageSet _free = new();
    private ulong* _entry;
    private uint _capacity;
    private uint _next = 1; // above every allocated page; the pages below it that are not allocated are in _free
    private int _pins;
    private int _writePins;
    private bool _disposed;

    private PageStore(PageStoreOptions options, CheckpointFile? file)
    {
        Invariant.That(options.MaxPages is > 1 and <= MaxPages, "a store has between 1 and 16,777,215 pages");
        Invariant.That(options.MaxResidentPages is 0 or >= MinResidentPages, "what one step pins fits the memory several times");
        Invariant.That(options.MaxResidentPages == 0 || file is not null, "a store with bounded memory has a file to evict to");
        _options = options;
        _file = file;
        _slots = file?.StoreOpened();
        Grow(2);
    }

    /// <summary>Pages in use.</summary>
    public long AllocatedPages => _next - 1 - _free.Count;

    /// <summary>Free pages below the highest one in use; some above it as long as not all of many were looked at.</summary>
    public long FreePages => _free.Count;

    /// <summary>Native memory taken from the system for pages, in bytes.</summary>
    public long ReservedBytes => _pool.ReservedBytes;

    /// <summary>Told what the loop that uses the store is at, when it has to wait for pages; the loop's own.</summary>
    public LoopMeter? Meter { get; set; }

    /// <summary>Handles alive.</summary>
    public int LivePins => _pins;

    /// <summary>A store with nothing but a zeroed root page.</summary>
    /// <param name="options">How much of it stays in memory.</param>
    /// <param name="file">Where its checkpoints go and pages are evicted to; needed when memory is bounded.</param>
    public static PageStore Create(PageStoreOptions options, CheckpointFile? file = null)
    {
        var store = new PageStore(options, file);
        PageNumber root = store.Allocate();
        Invariant.That(root == PageNumber.Root, "the first page is the root page");
        return store;
    }

    /// <summary>Whether the page exists.</summary>
    public bool IsAllocated(PageNumber page) => page.Value < _capacity && (_entry[page.Value] & PageEntries.Allocated) != 0;

    /// <summary>
    /// A zeroed page: the lowest number that is free. Live handles stay valid. Running past
    /// <see cref="PageStoreOptions.MaxPages"/> is a broken invariant: the caller refuses work before.
    /// </summary>
    public PageNumber Allocate()
    {
        uint frame = TakeFrame();
        uint page = _free.NextFrom(0) ?? _next;
        if (page == _next)
        {
            Invariant.That(page < (uint)_options.MaxPages, "the caller refuses work before the pages run out");
            if (page >= _capacity) Grow(page + 1);
            _next++;
        }
        else
        {
            _free.Remove(page);
        }

        new Span<byte>(_pool.Pointer(frame), PageSize).Clear();
        _freed.Remove(page);
        _dirty.Add(page);
        _owners[frame] = page;
        _entry[page] = frame | PageEntries.Allocated | PageEntries.Resident | _step;
        return new PageNumber(page);
    }

    /// <summary>Gives a page back. No handle of it may be alive; the root page is never freed.</summary>
    public void Free(PageNumber page)
    {
        uint number = page.Value;
        Invariant.That(number != PageNumber.Root.Value, "the root page is never freed");
        if (number >= _capacity || (_entry[number] & PageEntries.Allocated) == 0) NoSuchPage(page);
        ulong entry = _entry[number];
        Invariant.That((entry & PageEntries.Pins) == 0, "a page that is freed is not pinned");
        if (_dirty.Remove(number) && (entry & PageEntries.Saved) != 0) ForgetSaved(number);
        _freed.Add(number);
        if ((entry & PageEntries.Resident) != 0) LeaveFrame(number, (uint)(entry & PageEntries.FrameMask));
        _entry[number] = 0;
        _free.Add(number);
        // After a purge the rest goes with the next ones.
        for (int i = 0; i < _options.StepPages && _next > 2 && _free.Remove(_next - 1); i++) _next--;
    }

    /// <summary>
    /// Holds a page in memory and gives access to it; a write makes it part of the next checkpoint. The handle must be
    /// disposed before <see cref="Freeze"/>. A page that does not exist is a broken invariant. One that is not in memory is
    /// read: <see cref="CheckpointDamagedException"/> or <see cref="DiskException"/> when that fails, and
    /// <see cref="StateSpaceException"/> when there is no room for it; then the store is of no use any more.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public PageHandle Pin(PageNumber page, PageIntent intent)
    {
        uint number = page.Value;
        if (number >= _capacity) NoSuchPage(page);
        ulong entry = _entry[number];
        if (intent == PageIntent.Read)
        {
            if ((entry & PageEntries.Resident) == 0) entry = BringIn(number);
            entry += PageEntries.ReadPin;
        }
        else
        {
            const ulong Deciding = PageEntries.Resident | PageEntries.Saved | PageEntries.AheadMask | PageEntries.ReadPins;
            if ((entry & Deciding) != PageEntries.Resident || !_dirty.Contains(number)) entry = MakeWritable(number);
            entry += PageEntries.WritePin;
            _writePins++;
        }

        if (((entry ^ _step) & PageEntries.StepMask) != 0) entry = UsedAgain(entry);
        _entry[number] = entry;
        _pins++;
        byte* bytes = _pool.Pointer((uint)(entry & PageEntries.FrameMask));
        return new PageHandle(this, bytes, number, intent, _options.CheckReads ? ReadCheck(bytes, intent) : 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Unpin(uint page, PageIntent intent, ulong check)
    {
        _pins--;
        if (intent == PageIntent.Read)
        {
            _entry[page] -= PageEntries.ReadPin;
            if (check != 0) VerifyRead(page, check);
        }
        else
        {
            _entry[page] -= PageEntries.WritePin;
            _writePins--;
        }
    }

    /// <summary>
    /// Frees all memory; no handle may be alive. While a checkpoint is being written its frames stay until it lets go.
    /// </summary>
    public void Dispose()
    {
        if (_disposed) return;
        Invariant.That(_pins == 0, "no page is pinned when its store is disposed");
        lock (_aheadGate) _disposed = true;
        _capacity = 0;
        _entry = null;
        _file?.StoreClosed(_slots!);
        // An unfinished checkpoint holds on to both, whose finalizers free them.
        if (_frozen is { State: FrozenState.Open }) return;
        _entries.Dispose();
        _pool.Dispose();
    }

    // The rare halves of Pin are kept out of it, so that what is inlined at every call stays small.
    [DoesNotReturn]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void NoSuchPage(PageNumber page)
    {
        Invariant.That(!_disposed, "a disposed store is not used");
        Invariant.Broken($"page {page} does not exist");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private ulong MakeWritable(uint page)
    {
        ulong entry = _entry[page];
        if ((entry & PageEntries.Allocated) == 0) NoSuchPage(new PageNumber(page));
        Invariant.That(
            (entry & PageEntries.ReadPins) == 0 || (entry & PageEntries.WritePins) != 0,
            "a page pinned only for reading is not pinned for writing too");
        if ((entry & PageEntries.Resident) == 0) entry = BringIn(page);
#if PLANTED_BUGS
        if (PlantedBugs.Has(PlantedBug.StalePageAfterEviction) && _dirty.Contains(page)) return entry;
#endif
        // A copy that is being written ahead is worth nothing from now on.
        entry &= ~PageEntries.AheadMask;
        _entry[page] = entry;
        if (!_dirty.Add(page))
        {
            if ((entry & PageEntries.Saved) != 0) ForgetSaved(page);
        }
        else if (_frozen is { State: FrozenState.Open } frozen && frozen.Changed.Contains(page))
        {
            entry = Unshare(page);
        }

        return entry & ~PageEntries.Saved;
    }

    private void Grow(uint count)
    {
        if (_frozen is { State: FrozenState.Open } frozen)
        {
            // The writer reads entries.
            lock (frozen.Gate) _entries.Grow(count);
        }
        else
        {
            _entries.Grow(count);
        }

        _entry = _entries.Pointer;
        _capacity = _entries.Capacity;
        _limit = LimitFor(_capacity);
        PlanAhead();
    }

    // A handle taken under a live write handle may see its page change; any other must not.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private ulong ReadCheck(byte* bytes, PageIntent intent) =>
        intent == PageIntent.Write || _writePins > 0 ? 0 : PageHash.OfPage(new ReadOnlySpan<byte>(bytes, PageSize));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void VerifyRead(uint page, ulong check)
    {
        ulong now = PageHash.OfPage(new ReadOnlySpan<byte>(_pool.Pointer((uint)(_entry[page] & PageEntries.FrameMask)), PageSize));
        Invariant.That(check == now, "a page pinned for reading was not written");
    }
}
