using RaftQueue.Jobs.Structures;
using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs.State;

/// <summary>
/// Which request numbers were applied: for each of the last 64 origins the highest number and one bit for each of the 65,536 up
/// to it. What lies below counts as applied. The origin that was silent for longest gives way to a 65th.
/// </summary>
internal sealed class RequestWindows(PageStore pages, PageNumber table)
{
    public const int MaxOrigins = 64;

    /// <summary>Numbers that an origin's window covers.</summary>
    public const int Window = 65_536;

    // One line of the table: origin, highest number, index of its last entry, two pages of bits.
    private const int LineBytes = 32;
    private const int HighestField = 8;
    private const int LastIndexField = 16;
    private const int BitsField = 24;
    private const int BitsPerPage = PageStore.PageSize * 8;

    public bool IsApplied(Incarnation origin, ulong number)
    {
        int line = Find(origin);
        if (line < 0) return false;
        ulong highest;
        uint bits;
        using (PageHandle handle = pages.Pin(table, PageIntent.Read))
        {
            highest = handle.Read.GetUInt64(line + HighestField);
            bits = handle.Read.GetUInt32(line + BitsField + PageOf(number));
        }

        if (number > highest) return false;
        if (highest - number >= Window) return true;
        using PageHandle page = pages.Pin(new PageNumber(bits), PageIntent.Read);
        return (page.Read[ByteOf(number)] & MaskOf(number)) != 0;
    }

    public void Mark(Incarnation origin, ulong number, LogIndex index)
    {
        int line = Find(origin);
        if (line < 0) line = Add(origin, number);
        ulong highest;
        using (PageHandle handle = pages.Pin(table, PageIntent.Write))
        {
            Span<byte> bytes = handle.Write;
            highest = bytes.GetUInt64(line + HighestField);
            bytes.SetUInt64(line + HighestField, Math.Max(highest, number));
            bytes.SetInt64(line + LastIndexField, index.Value);
        }

        if (number > highest) Slide(line, highest, number);
        using PageHandle page = pages.Pin(BitsPage(line, number), PageIntent.Write);
        page.Write[ByteOf(number)] |= MaskOf(number);
    }

#if PLANTED_BUGS
    public void Forget() => Clear(table);

#endif
    /// <summary>Clears the bits of the numbers that the window newly covers.</summary>
    private void Slide(int line, ulong from, ulong to)
    {
        if (to - from >= Window)
        {
            Clear(BitsPage(line, 0));
            Clear(BitsPage(line, BitsPerPage));
            return;
        }

        for (ulong number = from + 1; number <= to; number++)
        {
            using PageHandle page = pages.Pin(BitsPage(line, number), PageIntent.Write);
            page.Write[ByteOf(number)] &= (byte)~MaskOf(number);
        }
    }

    private void Clear(PageNumber number)
    {
        using PageHandle page = pages.Pin(number, PageIntent.Write);
        page.Write.Clear();
    }

    private PageNumber BitsPage(int line, ulong number)
    {
        using PageHandle handle = pages.Pin(table, PageIntent.Read);
        return new PageNumber(handle.Read.GetUInt32(line + BitsField + PageOf(number)));
    }

    private int Find(Incarnation origin)
    {
        using PageHandle handle = pages.Pin(table, PageIntent.Read);
        ReadOnlySpan<byte> bytes = handle.Read;
        for (int line = 0; line < MaxOrigins * LineBytes; line += LineBytes)
        {
            if (bytes.GetUInt64(line) == origin.Value) return line;
        }

        return -1;
    }

    /// <summary>A line for a new origin: an empty one, else that of the origin silent for longest.</summary>
    private int Add(Incarnation origin, ulong number)
    {
        int line;
        bool fresh;
        using (PageHandle handle = pages.Pin(table, PageIntent.Write))
        {
            Span<byte> bytes = handle.Write;
            line = 0;
            for (int other = LineBytes; other < MaxOrigins * LineBytes; other += LineBytes)
            {
                if (bytes.GetInt64(other + LastIndexField) < bytes.GetInt64(line + LastIndexField)) line = other;
            }

            fresh = bytes.GetUInt64(line) == 0;
            bytes.SetUInt64(line, origin.Value);
            bytes.SetUInt64(line + HighestField, number);
        }

        if (fresh)
        {
            uint low = pages.Allocate().Value;
            uint high = pages.Allocate().Value;
            using PageHandle handle = pages.Pin(table, PageIntent.Write);
            handle.Write.SetUInt32(line + BitsField, low);
            handle.Write.SetUInt32(line + BitsField + sizeof(uint), high);
        }
        else
        {
            Clear(BitsPage(line, 0));
            Clear(BitsPage(line, BitsPerPage));
        }

        return line;
    }

    private static int PageOf(ulong number) => (int)(number % Window / BitsPerPage) * sizeof(uint);

    private static int ByteOf(ulong number) => (int)(number % BitsPerPage / 8);

    private static byte MaskOf(ulong number) => (byte)(1 << (int)(number % 8));
}
