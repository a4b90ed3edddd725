using System.Numerics;
using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs.Structures;

/// <summary>
/// The layout of a page of equal cells, used by <see cref="RecordSlab"/> and <see cref="BlobStore"/>: previous and next page
/// of the list of pages with room (4 bytes each), the owner's tag (4), cells in use (2), 2 zero bytes, a bitmap of the cells
/// in use (64-bit words), cells, zeros. Cells that are not in use are zero.
/// </summary>
internal readonly struct CellPage
{
    private const int PreviousField = 0;
    private const int NextField = 4;
    private const int TagField = 8;
    private const int UsedField = 12;
    private const int BitmapField = 16;

    private readonly ushort _cellSize;
    private readonly ushort _cells;
    private readonly ushort _firstCell;

    public CellPage(int cellSize)
    {
        int cells = (PageStore.PageSize - BitmapField) / cellSize;
        while (FirstCell(cells) + cells * cellSize > PageStore.PageSize) cells--;
        _cellSize = (ushort)cellSize;
        _cells = (ushort)cells;
        _firstCell = (ushort)FirstCell(cells);
    }

    /// <summary>Cells that a page holds.</summary>
    public int Cells => _cells;

    /// <summary>Bytes of a cell.</summary>
    public int CellSize => _cellSize;

    public int OffsetOf(int cell) => _firstCell + cell * _cellSize;

    public static uint Previous(ReadOnlySpan<byte> page) => page.GetUInt32(PreviousField);

    public static uint Next(ReadOnlySpan<byte> page) => page.GetUInt32(NextField);

    public static uint Tag(ReadOnlySpan<byte> page) => page.GetUInt32(TagField);

    public static int Used(ReadOnlySpan<byte> page) => page.GetUInt16(UsedField);

    public static void SetTag(Span<byte> page, uint tag) => page.SetUInt32(TagField, tag);

    public bool IsUsed(ReadOnlySpan<byte> page, int cell) =>
        (uint)cell < _cells && (page[BitmapField + (cell >> 3)] & (1 << (cell & 7))) != 0;

    /// <summary>Takes the lowest free cell of a page that has one.</summary>
    public int Take(Span<byte> page)
    {
        int used = Used(page);
        Invariant.That(used < _cells, "a page in the list of pages with room has room");
        int word = BitmapField;
        ulong bits = page.GetUInt64(word);
        while (bits == ulong.MaxValue)
        {
            word += sizeof(ulong);
            bits = page.GetUInt64(word);
        }

        int cell = (word - BitmapField) * 8 + BitOperations.TrailingZeroCount(~bits);
        Invariant.That(cell < _cells, "the bitmap and the count of a page agree");
        page.SetUInt64(word, bits | (bits + 1));
        page.SetUInt16(UsedField, (ushort)(used + 1));
        return cell;
    }

    /// <summary>Zeroes a cell and gives it back. Returns how many the page still holds.</summary>
    public int Release(Span<byte> page, int cell)
    {
        Invariant.That(IsUsed(page, cell), "only a cell in use is given back");
        page[BitmapField + (cell >> 3)] &= (byte)~(1 << (cell & 7));
        page.Slice(OffsetOf(cell), _cellSize).Clear();
        int used = Used(page) - 1;
        page.SetUInt16(UsedField, (ushort)used);
        return used;
    }

    /// <summary>Puts a page in front of a list of pages with room; the caller makes it the list's head.</summary>
    public static void Link(PageStore pages, Span<byte> page, uint number, uint head)
    {
        page.SetUInt32(NextField, head);
        if (head == 0) return;
        using PageHandle next = pages.Pin(new PageNumber(head), PageIntent.Write);
        next.Write.SetUInt32(PreviousField, number);
    }

    /// <summary>Takes a page out of its list. Returns the list's head afterwards.</summary>
    public static uint Unlink(PageStore pages, Span<byte> page, uint head)
    {
        uint previous = Previous(page);
        uint next = Next(page);
        page.SetUInt32(PreviousField, 0);
        page.SetUInt32(NextField, 0);
        if (next != 0)
        {
            using PageHandle handle = pages.Pin(new PageNumber(next), PageIntent.Write);
            handle.Write.SetUInt32(PreviousField, previous);
        }

        if (previous == 0) return next;
        using PageHandle before = pages.Pin(new PageNumber(previous), PageIntent.Write);
        before.Write.SetUInt32(NextField, next);
        return head;
    }

    private static int FirstCell(int cells) => BitmapField + (cells + 63) / 64 * sizeof(ulong);
}
