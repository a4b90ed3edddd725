using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using RaftQueue.Primitives;

namespace RaftQueue.Pages;

/// <summary>
/// The paged memory in which one shard's replicated state lives. Which pages exist depends only on the history of
/// <see cref="Allocate"/> and <see cref="Free"/> (the lowest free number is given first), so that the set of allocated
/// pages, which every checkpoint records, is the whole allocation state. Single-threaded (apply loop).
/// </summary>
public sealed unsafe partial class PageStore : IDisposable
{
    /// <summary>Bytes of a page.</summary>
    public const int PageSize = 4096;

    /// <summary>Page numbers are below this (64 GiB of pages).</summary>
    public const int MaxPages = 1 << 24;

    private readonly PageStoreOptions _options;
    private readonly BufferPool _pool = new();
    private readonly PageEntries _entries = new();
    private readonly PageSet _free = new();
    private ulong* _entry;
    private uint _capacity;
    private uint _next = 1; // above every allocated page; the pages below it that are not allocated are in _free
    private int _pins;
    private int _writePins;
    private bool _disposed;

    private PageStore(PageStoreOptions options)
    {
        Invariant.That(options.MaxPages is > 1 and <= MaxPages, "a store has between 1 and 16,777,215 pages");
        _options = options;
        Grow(2);
    }

    /// <summary>Pages in use.</summary>
    public long AllocatedPages => _next - 1 - _free.Count;

    /// <summary>Free pages below the highest one in use.</summary>
    public long FreePages => _free.Count;

    /// <summary>Native memory taken from the system for pages, in bytes.</summary>
    public long ReservedBytes => _pool.ReservedBytes;

    /// <summary>Handles alive.</summary>
    public int LivePins => _pins;

    /// <summary>A store with nothing but a zeroed root page.</summary>
    public static PageStore Create(PageStoreOptions options)
    {
        var store = new PageStore(options);
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

        uint frame = TakeFrame();
        new Span<byte>(_pool.Pointer(frame), PageSize).Clear();
        MarkDirty(page);
        _entry[page] = frame | PageEntries.Allocated | PageEntries.Dirty;
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
        MarkDirty(number);
        LeaveFrame(number, entry);
        _entry[number] = PageEntries.Dirty;
        _free.Add(number);
        while (_next > 2 && _free.Remove(_next - 1)) _next--;
    }

    /// <summary>
    /// Holds a page in memory and gives access to it; a write makes it part of the next checkpoint. The handle must be
    /// disposed before <see cref="Freeze"/>. A page that does not exist is a broken invariant.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public PageHandle Pin(PageNumber page, PageIntent intent)
    {
        uint number = page.Value;
        if (number >= _capacity) NoSuchPage(page);
        ulong entry = _entry[number];
        if (intent == PageIntent.Read)
        {
            if ((entry & PageEntries.Allocated) == 0) NoSuchPage(page);
            _entry[number] = entry + PageEntries.ReadPin;
        }
        else
        {
            const ulong Deciding = PageEntries.Allocated | PageEntries.Dirty | PageEntries.ReadPins;
            if ((entry & Deciding) != (PageEntries.Allocated | PageEntries.Dirty)) entry = MakeWritable(number);
            _entry[number] = entry + PageEntries.WritePin;
            _writePins++;
        }

        _pins++;
        byte* bytes = _pool.Pointer((uint)entry);
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
        _disposed = true;
        _capacity = 0;
        _entry = null;
        _entries.Dispose();
        // The checkpoint's frames hold on to the pool, whose finalizer frees it.
        if (_frozen is null || _frozen.State != FrozenState.Open) _pool.Dispose();
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
        MarkDirty(page);
        if ((entry & PageEntries.Frozen) != 0 && IsStillFrozen(page))
        {
            uint frame = TakeFrame();
            Unsafe.CopyBlock(_pool.Pointer(frame), _pool.Pointer((uint)entry), PageSize);
            LeaveFrame(page, entry);
            entry = frame | PageEntries.Allocated;
        }

        return entry | PageEntries.Dirty;
    }

    private void MarkDirty(uint page)
    {
        if ((_entry[page] & PageEntries.Dirty) == 0) _dirty.Add(page);
    }

    private void Grow(uint count)
    {
        _entries.Grow(count);
        _entry = _entries.Pointer;
        _capacity = _entries.Capacity;
    }

    // A handle taken under a live write handle may see its page change; any other must not.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private ulong ReadCheck(byte* bytes, PageIntent intent) =>
        intent == PageIntent.Write || _writePins > 0 ? 0 : PageHash.OfPage(new ReadOnlySpan<byte>(bytes, PageSize));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void VerifyRead(uint page, ulong check)
    {
        ulong now = PageHash.OfPage(new ReadOnlySpan<byte>(_pool.Pointer((uint)_entry[page]), PageSize));
        Invariant.That(check == now, "a page pinned for reading was not written");
    }
}
