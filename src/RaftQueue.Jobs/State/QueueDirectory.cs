using RaftQueue.Jobs.Structures;
using RaftQueue.Pages;

namespace RaftQueue.Jobs.State;

/// <summary>
/// The names of all queues and the numbers of their pages, packed: a chain of pages, the newest first. Opening the state reads
/// these and not the queues' own pages. A page: the one before (4 bytes), bytes in use (2), 2 zero bytes, then entries of page
/// number (4), length of the name (1) and name, then zeros.
/// </summary>
internal sealed class QueueDirectory(PageStore pages)
{
    private const int NextField = 0;
    private const int UsedField = 4;
    private const int HeaderBytes = 8;
    private const int LengthOffset = sizeof(uint);
    private const int NameOffset = LengthOffset + 1;

    /// <summary>The newest page of the chain, 0 when there is none. Kept in the root page by the owner.</summary>
    public uint Newest { get; private set; }

    /// <summary>Calls back for each queue, in no order that means anything.</summary>
    public void Open(uint newest, Action<uint, byte[]> queue)
    {
        Newest = newest;
        for (uint number = newest; number != 0;)
        {
            using PageHandle handle = pages.Pin(new PageNumber(number), PageIntent.Read);
            ReadOnlySpan<byte> page = handle.Read;
            int used = page.GetUInt16(UsedField);
            for (int at = HeaderBytes; at < used; at += NameOffset + page[at + LengthOffset])
            {
                queue(page.GetUInt32(at), page.Slice(at + NameOffset, page[at + LengthOffset]).ToArray());
            }

            number = page.GetUInt32(NextField);
        }
    }

    public void Add(uint queue, ReadOnlySpan<byte> name)
    {
        int size = NameOffset + name.Length;
        if (Newest == 0 || UsedOf(Newest) + size > PageStore.PageSize) Extend();
        using PageHandle handle = pages.Pin(new PageNumber(Newest), PageIntent.Write);
        Span<byte> page = handle.Write;
        int at = page.GetUInt16(UsedField);
        page.SetUInt32(at, queue);
        page[at + LengthOffset] = (byte)name.Length;
        name.CopyTo(page[(at + NameOffset)..]);
        page.SetUInt16(UsedField, (ushort)(at + size));
    }

    private int UsedOf(uint number)
    {
        using PageHandle handle = pages.Pin(new PageNumber(number), PageIntent.Read);
        return handle.Read.GetUInt16(UsedField);
    }

    private void Extend()
    {
        PageNumber fresh = pages.Allocate();
        using PageHandle handle = pages.Pin(fresh, PageIntent.Write);
        handle.Write.SetUInt32(NextField, Newest);
        handle.Write.SetUInt16(UsedField, HeaderBytes);
        Newest = fresh.Value;
    }
}
