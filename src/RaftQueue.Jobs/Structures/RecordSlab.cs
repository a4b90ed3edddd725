using System.Numerics;
using System.Runtime.CompilerServices;
using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs.Structures;

/// <summary>
/// Records of one fixed size under stable numbers (slots), many to a page. A slot is the page's index in a directory and the
/// place in the page, so slots have gaps; freed ones are used again. All steps cost constant time.
/// </summary>
/// <remarks>
/// Slots may come from anywhere in <see cref="IsAllocated"/>; everywhere else a slot that is not allocated is a broken
/// invariant. At most one instance at a time may be used on a header. Not thread-safe.
/// </remarks>
public sealed class RecordSlab
{
    /// <summary>Bytes at the header's place; all zero is an empty slab.</summary>
    public const int HeaderSize = 32;

    /// <summary>The smallest record in bytes.</summary>
    public const int MinRecordSize = 16;

    /// <summary>The largest record in bytes.</summary>
    public const int MaxRecordSize = 1024;

    private const int CountField = 0;
    private const int RoomField = 8;       // first page of the list of pages with room
    private const int VacantField = 12;    // first directory index without a page, plus one
    private const int RecordSizeField = 16;
    private const int DirectoryField = 20;

    // A directory element is the number of a page, or this bit and the next vacant index plus one.
    private const uint VacantBit = 1u << 31;
    private const int SlotBits = 48;

    private readonly PageStore _pages;
    private readonly PageNumber _headerPage;
    private readonly int _headerOffset;
    private readonly CellPage _layout;
    private readonly PagedArray _directory;
    private readonly int _placeBits;

    /// <summary>Opens the slab whose header is at the given place.</summary>
    /// <param name="pages">Where the state lives.</param>
    /// <param name="headerPage">The page of the header.</param>
    /// <param name="headerOffset">The header's first byte in its page.</param>
    /// <param name="recordSize">Bytes of a record, 16 to 1,024, the same for the slab's whole life.</param>
    public RecordSlab(PageStore pages, PageNumber headerPage, int headerOffset, int recordSize)
    {
        Invariant.That(recordSize is >= MinRecordSize and <= MaxRecordSize, "a record has 16 to 1,024 bytes");
        Invariant.That(headerOffset >= 0 && headerOffset <= PageStore.PageSize - HeaderSize, "a header fits its page");
        _pages = pages;
        _headerPage = headerPage;
        _headerOffset = headerOffset;
        _layout = new CellPage(recordSize);
        _directory = new PagedArray(pages, headerPage, headerOffset + DirectoryField);
        _placeBits = BitOperations.Log2((uint)_layout.Cells - 1) + 1;
    }

    /// <summary>Records that a page holds: what a record really costs is 4,096 bytes by this.</summary>
    public int RecordsPerPage => _layout.Cells;

    /// <summary>Bytes of a record.</summary>
    public int RecordSize => _layout.CellSize;

    /// <summary>Records allocated.</summary>
    public long Count
    {
        get
        {
            using PageHandle handle = _pages.Pin(_headerPage, PageIntent.Read);
            return handle.Read.GetInt64(_headerOffset + CountField);
        }
    }

    /// <summary>No slot above this is allocated. Falls only when the slab becomes empty.</summary>
    public long HighWater => (long)_directory.Length << _placeBits;

    /// <summary>Writes the header of an empty slab; pages of an earlier one at this place are not given back.</summary>
    public void Initialize()
    {
        using PageHandle handle = _pages.Pin(_headerPage, PageIntent.Write);
        handle.Write.Slice(_headerOffset, HeaderSize).Clear();
    }

    /// <summary>A new zeroed record: in the page that last got room, the lowest place. Returns its slot, 1 or more.</summary>
    public long Allocate()
    {
        uint room;
        using (PageHandle handle = _pages.Pin(_headerPage, PageIntent.Write))
        {
            Span<byte> header = Header(handle);
            header.SetInt64(CountField, header.GetInt64(CountField) + 1);
            room = header.GetUInt32(RoomField);
        }

        if (room == 0) room = AddPage();
        using PageHandle page = _pages.Pin(new PageNumber(room), PageIntent.Write);
        Span<byte> bytes = page.Write;
        int place = _layout.Take(bytes);
        if (CellPage.Used(bytes) == _layout.Cells) SetRoom(CellPage.Unlink(_pages, bytes, room));
        return (((long)CellPage.Tag(bytes) << _placeBits) | (uint)place) + 1;
    }

    /// <summary>Zeroes a record and gives its slot back; the page follows when it was the last one there.</summary>
    public void Free(long slot)
    {
        uint number = PageOf(slot, out int place);
        Invariant.That(number != 0, "only an allocated slot is freed");
        int used;
        uint index;
        long count;
        using (PageHandle page = _pages.Pin(new PageNumber(number), PageIntent.Write))
        {
            Span<byte> bytes = page.Write;
            used = _layout.Release(bytes, place);
            index = CellPage.Tag(bytes);
            using PageHandle handle = _pages.Pin(_headerPage, PageIntent.Write);
            Span<byte> header = Header(handle);
            uint room = header.GetUInt32(RoomField);
            count = header.GetInt64(CountField) - 1;
            header.SetInt64(CountField, count);
            if (used == 0)
            {
                header.SetUInt32(RoomField, CellPage.Unlink(_pages, bytes, room));
            }
            else if (used == _layout.Cells - 1)
            {
                CellPage.Link(_pages, bytes, number, room);
                header.SetUInt32(RoomField, number);
            }
        }

        if (used == 0) DropPage(number, index, lastRecord: count == 0);
    }

    /// <summary>Whether the slot holds a record. Any number may be asked for.</summary>
    public bool IsAllocated(long slot)
    {
        uint number = PageOf(slot, out int place);
        if (number == 0) return false;
        using PageHandle page = _pages.Pin(new PageNumber(number), PageIntent.Read);
        return _layout.IsUsed(page.Read, place);
    }

    /// <summary>Holds an allocated record in memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public RecordHandle Pin(long slot, PageIntent intent)
    {
        uint number = PageOf(slot, out int place);
        Invariant.That(number != 0, "only an allocated slot is pinned");
        PageHandle page = _pages.Pin(new PageNumber(number), intent);
        if (!_layout.IsUsed(page.Read, place)) NotAllocated(ref page);
        return new RecordHandle(page, _layout.OffsetOf(place), _layout.CellSize);
    }

    /// <summary>The record, should there be one, is about to be pinned.</summary>
    public void Prefetch(long slot)
    {
        uint number = PageOf(slot, out _);
        if (number != 0) _pages.Prefetch(new PageNumber(number));
    }

    /// <summary>
    /// The first allocated slot above <paramref name="after"/> (0 to begin), or 0 when there is none: in slot order, for
    /// checks of the whole state. Skips vacant pages one at a time.
    /// </summary>
    public long NextAllocated(long after)
    {
        long highWater = HighWater;
        long places = 1L << _placeBits;
        for (long key = after; key < highWater; key = (key | (places - 1)) + 1)
        {
            uint number = PageOf(key + 1, out int first);
            if (number == 0) continue;
            using PageHandle page = _pages.Pin(new PageNumber(number), PageIntent.Read);
            for (int place = first; place < _layout.Cells; place++)
                if (_layout.IsUsed(page.Read, place)) return (key & ~(places - 1)) + place + 1;
        }

        return 0;
    }

#if PLANTED_BUGS
    public void MarkPageOf(long slot, byte mark)
    {
        using PageHandle page = _pages.Pin(new PageNumber(PageOf(slot, out _)), PageIntent.Write);
        page.Write[^1] = mark;
    }

#endif
    private static void NotAllocated(ref PageHandle page)
    {
        page.Dispose();
        Invariant.Broken("only an allocated slot is pinned");
    }

    /// <summary>The page that would hold the slot, 0 when there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private uint PageOf(long slot, out int place)
    {
        ulong key = (ulong)slot - 1;
        place = (int)key & ((1 << _placeBits) - 1);
        if (key >= 1UL << SlotBits) return 0;
        ulong index = key >> _placeBits;
        if (index > uint.MaxValue) return 0;
        uint element = _directory.Get((uint)index);
        return (element & VacantBit) == 0 ? element : 0;
    }

    private uint AddPage()
    {
        PageNumber page = _pages.Allocate();
        Invariant.That(page.Value < VacantBit, "a page number has 31 bits here");
        uint vacant;
        using (PageHandle handle = _pages.Pin(_headerPage, PageIntent.Read))
        {
            vacant = handle.Read.GetUInt32(_headerOffset + VacantField);
            uint recordSize = handle.Read.GetUInt32(_headerOffset + RecordSizeField);
            Invariant.That(recordSize == 0 || recordSize == RecordSize, "a slab keeps its record size");
        }

        uint index;
        if (vacant == 0)
        {
            index = _directory.Push(page.Value);
        }
        else
        {
            index = vacant - 1;
            vacant = _directory.Get(index) & ~VacantBit;
            _directory.Set(index, page.Value);
        }

        using (PageHandle handle = _pages.Pin(_headerPage, PageIntent.Write))
        {
            Span<byte> header = Header(handle);
            header.SetUInt32(VacantField, vacant);
            header.SetUInt32(RecordSizeField, (uint)RecordSize);
            header.SetUInt32(RoomField, page.Value);
        }

        using PageHandle fresh = _pages.Pin(page, PageIntent.Write);
        CellPage.SetTag(fresh.Write, index);
        return page.Value;
    }

    private void DropPage(uint number, uint index, bool lastRecord)
    {
        _pages.Free(new PageNumber(number));
        uint vacant = 0;
        if (lastRecord)
        {
            // Nothing holds a slot any more: the directory goes, one step for each 1,024 pages that there were at most.
            _directory.Clear();
        }
        else
        {
            using (PageHandle handle = _pages.Pin(_headerPage, PageIntent.Read))
                vacant = handle.Read.GetUInt32(_headerOffset + VacantField);
            _directory.Set(index, VacantBit | vacant);
            vacant = index + 1;
        }

        using PageHandle write = _pages.Pin(_headerPage, PageIntent.Write);
        Header(write).SetUInt32(VacantField, vacant);
    }

    private void SetRoom(uint page)
    {
        using PageHandle handle = _pages.Pin(_headerPage, PageIntent.Write);
        Header(handle).SetUInt32(RoomField, page);
    }

    private Span<byte> Header(PageHandle handle) => handle.Write.Slice(_headerOffset, HeaderSize);
}
