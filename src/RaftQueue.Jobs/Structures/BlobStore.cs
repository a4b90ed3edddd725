using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs.Structures;

/// <summary>
/// Byte strings of up to 16 MiB. Small ones lie in cells of a size class, many to a page (steps of 8 bytes up to 256, then
/// what divides a page: at most half as large again); those above 2,032 bytes in a chain of whole pages. The reference holds
/// the length, so a blob costs its class and 0.6 % for the page's bitmap. A step costs constant time and the blob's length.
/// </summary>
/// <remarks>References are trusted: one that was freed or never written is a broken invariant or other blobs' bytes. Not thread-safe.</remarks>
public sealed class BlobStore
{
    /// <summary>Bytes at the header's place; all zero is an empty store.</summary>
    public const int HeaderSize = 24;

    /// <summary>The longest blob in bytes.</summary>
    public const int MaxLength = 16 << 20;

    private const int CountField = 0;
    private const int BytesField = 8;
    private const int ClassesField = 16; // page of one list head (4 bytes) for each class; 0 while the store is empty

    private const int ChainHeader = 4;   // next page
    private const int ChainBytes = PageStore.PageSize - ChainHeader;

    private readonly PageStore _pages;
    private readonly PageNumber _headerPage;
    private readonly int _headerOffset;

    /// <summary>Opens the store whose header is at the given place.</summary>
    public BlobStore(PageStore pages, PageNumber headerPage, int headerOffset)
    {
        Invariant.That(headerOffset >= 0 && headerOffset <= PageStore.PageSize - HeaderSize, "a header fits its page");
        _pages = pages;
        _headerPage = headerPage;
        _headerOffset = headerOffset;
    }

    /// <summary>Blobs held.</summary>
    public long Count
    {
        get
        {
            using PageHandle handle = _pages.Pin(_headerPage, PageIntent.Read);
            return handle.Read.GetInt64(_headerOffset + CountField);
        }
    }

    /// <summary>Sum of the lengths of all blobs, in bytes.</summary>
    public long TotalLength
    {
        get
        {
            using PageHandle handle = _pages.Pin(_headerPage, PageIntent.Read);
            return handle.Read.GetInt64(_headerOffset + BytesField);
        }
    }

    /// <summary>Pages that writing a blob of this length takes at most, for callers that must not run out half way.</summary>
    public static int MaxPagesFor(int length) => length <= BlobClasses.MaxCell ? 2 : ChainPages(length);

    /// <summary>Writes the header of an empty store; pages of an earlier one at this place are not given back.</summary>
    public void Initialize()
    {
        using PageHandle handle = _pages.Pin(_headerPage, PageIntent.Write);
        handle.Write.Slice(_headerOffset, HeaderSize).Clear();
    }

    /// <summary>Keeps a copy of the bytes. No bytes are a blob too. More than 16 MiB is a broken invariant.</summary>
    public BlobRef Write(ReadOnlySpan<byte> data)
    {
        Invariant.That(data.Length <= MaxLength, "a blob has at most 16 MiB");
        uint classes = Account(1, data.Length);
        return data.Length > BlobClasses.MaxCell ? WriteChain(data) : WriteCell(data, classes);
    }

    /// <summary>The blob's length in bytes; reads no page.</summary>
    public int Length(BlobRef blob)
    {
        Invariant.That(!blob.IsNone, "no blob has no length");
        return blob.Length;
    }

    /// <summary>Copies the whole blob to the front of the destination, which is at least as long.</summary>
    public void Read(BlobRef blob, Span<byte> destination)
    {
        int length = Length(blob);
        Invariant.That(destination.Length >= length, "a blob is read whole");
        if (!blob.IsChain)
        {
            using PageHandle page = _pages.Pin(new PageNumber(blob.Page), PageIntent.Read);
            Cell(page, blob).CopyTo(destination);
            return;
        }

        uint number = blob.Page;
        for (int done = 0; done < length; done += ChainBytes)
        {
            using PageHandle page = _pages.Pin(new PageNumber(number), PageIntent.Read);
            page.Read.Slice(ChainHeader, Math.Min(ChainBytes, length - done)).CopyTo(destination[done..]);
            number = page.Read.GetUInt32(0);
        }
    }

    /// <summary>The blob, if it is one, is about to be read or freed: its page, or the first of them.</summary>
    public void Prefetch(BlobRef blob)
    {
        if (!blob.IsNone) _pages.Prefetch(new PageNumber(blob.Page));
    }

    /// <summary>Whether the blob holds exactly these bytes.</summary>
    public bool ContentEquals(BlobRef blob, ReadOnlySpan<byte> data)
    {
        int length = Length(blob);
        if (length != data.Length) return false;
        if (!blob.IsChain)
        {
            using PageHandle page = _pages.Pin(new PageNumber(blob.Page), PageIntent.Read);
            return Cell(page, blob).SequenceEqual(data);
        }

        uint number = blob.Page;
        for (int done = 0; done < length; done += ChainBytes)
        {
            using PageHandle page = _pages.Pin(new PageNumber(number), PageIntent.Read);
            int part = Math.Min(ChainBytes, length - done);
            if (!page.Read.Slice(ChainHeader, part).SequenceEqual(data.Slice(done, part))) return false;
            number = page.Read.GetUInt32(0);
        }

        return true;
    }

    /// <summary>Gives the blob's space back; a page that holds nothing else goes back to the page store.</summary>
    public void Free(BlobRef blob)
    {
        int length = Length(blob);
        if (blob.IsChain) FreeChain(blob);
        else FreeCell(blob);
        Account(-1, -length);
    }

    private static int ChainPages(int length) => (length + ChainBytes - 1) / ChainBytes;

    private static ReadOnlySpan<byte> Cell(PageHandle page, BlobRef blob)
    {
        CellPage layout = BlobClasses.Layout(BlobClasses.Of(blob.Length));
        Invariant.That(layout.IsUsed(page.Read, blob.Cell), "only a blob that exists is used");
        return page.Read.Slice(layout.OffsetOf(blob.Cell), blob.Length);
    }

    private BlobRef WriteCell(ReadOnlySpan<byte> data, uint classes)
    {
        int sizeClass = BlobClasses.Of(data.Length);
        CellPage layout = BlobClasses.Layout(sizeClass);
        uint room = Room(classes, sizeClass);
        if (room == 0)
        {
            PageNumber fresh = _pages.Allocate();
            using (PageHandle handle = _pages.Pin(fresh, PageIntent.Write)) CellPage.SetTag(handle.Write, (uint)sizeClass);
            room = fresh.Value;
            SetRoom(classes, sizeClass, room);
        }

        using PageHandle page = _pages.Pin(new PageNumber(room), PageIntent.Write);
        Span<byte> bytes = page.Write;
        int cell = layout.Take(bytes);
        data.CopyTo(bytes[layout.OffsetOf(cell)..]);
        if (CellPage.Used(bytes) == layout.Cells) SetRoom(classes, sizeClass, CellPage.Unlink(_pages, bytes, room));
        return BlobRef.InCell(room, cell, data.Length);
    }

    private void FreeCell(BlobRef blob)
    {
        int sizeClass = BlobClasses.Of(blob.Length);
        CellPage layout = BlobClasses.Layout(sizeClass);
        uint classes = ClassesPage();
        int used;
        using (PageHandle page = _pages.Pin(new PageNumber(blob.Page), PageIntent.Write))
        {
            Span<byte> bytes = page.Write;
            Invariant.That(CellPage.Tag(bytes) == (uint)sizeClass, "a blob lies in a page of its class");
            used = layout.Release(bytes, blob.Cell);
            if (used == 0)
            {
                uint head = Room(classes, sizeClass);
                uint left = CellPage.Unlink(_pages, bytes, head);
                if (left != head) SetRoom(classes, sizeClass, left);
            }
            else if (used == layout.Cells - 1)
            {
                CellPage.Link(_pages, bytes, blob.Page, Room(classes, sizeClass));
                SetRoom(classes, sizeClass, blob.Page);
            }
        }

        if (used == 0) _pages.Free(new PageNumber(blob.Page));
    }

    /// <summary>Last page first, so that each is written once, with its successor known.</summary>
    private BlobRef WriteChain(ReadOnlySpan<byte> data)
    {
        uint next = 0;
        for (int part = ChainPages(data.Length) - 1; part >= 0; part--)
        {
            int start = part * ChainBytes;
            PageNumber number = _pages.Allocate();
            using PageHandle page = _pages.Pin(number, PageIntent.Write);
            page.Write.SetUInt32(0, next);
            data.Slice(start, Math.Min(ChainBytes, data.Length - start)).CopyTo(page.Write[ChainHeader..]);
            next = number.Value;
        }

        return BlobRef.InChain(next, data.Length);
    }

    private void FreeChain(BlobRef blob)
    {
        uint number = blob.Page;
        for (int left = ChainPages(blob.Length); left > 0; left--)
        {
            uint next;
            using (PageHandle page = _pages.Pin(new PageNumber(number), PageIntent.Read)) next = page.Read.GetUInt32(0);
            _pages.Free(new PageNumber(number));
            number = next;
        }

        Invariant.That(number == 0, "a chain has the pages that its length needs");
    }

    /// <summary>Counts a blob in or out; makes the page of classes with the first one and frees it with the last.</summary>
    private uint Account(int count, int length)
    {
        using PageHandle handle = _pages.Pin(_headerPage, PageIntent.Write);
        Span<byte> header = handle.Write.Slice(_headerOffset, HeaderSize);
        long blobs = header.GetInt64(CountField) + count;
        Invariant.That(blobs >= 0, "no more blobs are freed than were written");
        header.SetInt64(CountField, blobs);
        header.SetInt64(BytesField, header.GetInt64(BytesField) + length);
        uint classes = header.GetUInt32(ClassesField);
        if (blobs > 0 && classes == 0)
        {
            classes = _pages.Allocate().Value;
        }
        else if (blobs == 0 && classes != 0)
        {
            _pages.Free(new PageNumber(classes));
            classes = 0;
        }

        header.SetUInt32(ClassesField, classes);
        return classes;
    }

    private uint ClassesPage()
    {
        using PageHandle handle = _pages.Pin(_headerPage, PageIntent.Read);
        return handle.Read.GetUInt32(_headerOffset + ClassesField);
    }

    private uint Room(uint classes, int sizeClass)
    {
        using PageHandle handle = _pages.Pin(new PageNumber(classes), PageIntent.Read);
        return handle.Read.GetUInt32(sizeClass * sizeof(uint));
    }

    private void SetRoom(uint classes, int sizeClass, uint page)
    {
        using PageHandle handle = _pages.Pin(new PageNumber(classes), PageIntent.Write);
        handle.Write.SetUInt32(sizeClass * sizeof(uint), page);
    }
}
