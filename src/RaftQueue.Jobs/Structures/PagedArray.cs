using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs.Structures;

/// <summary>
/// A growing and shrinking array of 32-bit numbers in pages: a radix tree of 1,024 children a page, the directory below
/// <see cref="RecordSlab"/> and <c>HashIndex</c>. A page is given back when its last element is popped.
/// </summary>
/// <remarks>
/// Reads go to a mirror of the leaf pages in managed memory, filled on first use (4 bytes for each page that the owner holds),
/// so that finding a page costs no pin. The mirror is never a source of truth, but it makes an instance the only one that may
/// change its array. Not thread-safe.
/// </remarks>
internal sealed class PagedArray(PageStore pages, PageNumber headerPage, int headerOffset)
{
    /// <summary>Bytes at the header's place; all zero is an empty array.</summary>
    public const int HeaderSize = 12;

    private const int Fanout = PageStore.PageSize / sizeof(uint);
    private const int FanoutBits = 10;
    private const int MaxHeight = 3;

    private const int RootField = 0;
    private const int LengthField = 4;
    private const int HeightField = 8;

    private Chunk[] _chunks = [];

    private struct Chunk
    {
        public uint[]? Values;
        public uint Page;
    }

    /// <summary>Elements, all of which <see cref="Get"/> can read.</summary>
    public uint Length
    {
        get
        {
            using PageHandle handle = pages.Pin(headerPage, PageIntent.Read);
            return Header(handle).GetUInt32(LengthField);
        }
    }

    /// <summary>The element, or 0 for any index outside the array.</summary>
    public uint Get(uint index)
    {
        uint chunk = index >> FanoutBits;
        Chunk[] chunks = _chunks;
        if (chunk < (uint)chunks.Length && chunks[chunk].Values is { } values)
            return values[index & (Fanout - 1)];
        return index < Length ? Load(chunk).Values![index & (Fanout - 1)] : 0;
    }

    /// <summary>Changes an element that exists.</summary>
    public void Set(uint index, uint value)
    {
        ref Chunk chunk = ref Load(index >> FanoutBits);
        int position = (int)(index & (Fanout - 1));
        using PageHandle handle = pages.Pin(new PageNumber(chunk.Page), PageIntent.Write);
        handle.Bytes.SetUInt32(position * sizeof(uint), value);
        chunk.Values![position] = value;
    }

    /// <summary>Appends an element and returns its index.</summary>
    public uint Push(uint value)
    {
        (uint root, uint length, int height) = ReadHeader();
        if ((length & (Fanout - 1)) == 0) AddLeaf(ref root, length, ref height);
        WriteHeader(root, length + 1, height);
        Set(length, value);
        return length;
    }

    /// <summary>Removes the last element.</summary>
    public void Pop()
    {
        (uint root, uint length, int height) = ReadHeader();
        Invariant.That(length > 0, "an empty array has nothing to pop");
        length--;
        Set(length, 0);
        if ((length & (Fanout - 1)) == 0) RemoveLeaf(ref root, length, ref height);
        WriteHeader(root, length, height);
    }

    /// <summary>Gives every page back: one step for each 1,024 elements.</summary>
    public void Clear()
    {
        (uint root, uint length, int height) = ReadHeader();
        uint chunks = (length + Fanout - 1) >> FanoutBits;
        for (uint chunk = chunks; chunk-- > 0;)
            RemoveLeaf(ref root, chunk << FanoutBits, ref height);
        WriteHeader(root, 0, height);
    }

    private static int LevelsAbove(uint chunk, int level) => (int)(chunk >> (FanoutBits * level)) & (Fanout - 1);

    private void AddLeaf(ref uint root, uint length, ref int height)
    {
        uint chunk = length >> FanoutBits;
        if (height == 0 || (ulong)length == 1UL << (FanoutBits * height))
        {
            Invariant.That(height < MaxHeight, "a paged array has at most 2^30 elements");
            PageNumber above = pages.Allocate();
            if (height > 0)
            {
                using PageHandle handle = pages.Pin(above, PageIntent.Write);
                handle.Bytes.SetUInt32(0, root);
            }

            root = above.Value;
            height++;
        }

        uint page = root;
        for (int level = height - 2; level >= 0; level--) page = ChildOrNew(page, LevelsAbove(chunk, level));
        Mirror(chunk, page, fresh: true);
    }

    private uint ChildOrNew(uint parent, int position)
    {
        using PageHandle handle = pages.Pin(new PageNumber(parent), PageIntent.Write);
        uint child = handle.Bytes.GetUInt32(position * sizeof(uint));
        if (child != 0) return child;
        child = pages.Allocate().Value;
        handle.Bytes.SetUInt32(position * sizeof(uint), child);
        return child;
    }

    /// <summary>Frees the last leaf, whose first element is <paramref name="first"/>, and what stood only for it above.</summary>
    private void RemoveLeaf(ref uint root, uint first, ref int height)
    {
        uint chunk = first >> FanoutBits;
        Unmirror(chunk);
        RemoveChild(root, chunk, height);
        if (chunk == 0)
        {
            root = 0;
            height = 0;
        }
        else if (height > 1 && (ulong)first == 1UL << (FanoutBits * (height - 1)))
        {
            PageNumber old = new(root);
            using (PageHandle handle = pages.Pin(old, PageIntent.Read)) root = handle.Bytes.GetUInt32(0);
            pages.Free(old);
            height--;
        }
    }

    /// <summary>Frees the path to a leaf as far as the leaf is the first below it; the rest of the path forgets it.</summary>
    private void RemoveChild(uint page, uint chunk, int height)
    {
        if (height > 1)
        {
            int level = height - 2;
            int position = LevelsAbove(chunk, level);
            uint child;
            using (PageHandle handle = pages.Pin(new PageNumber(page), PageIntent.Read))
                child = handle.Bytes.GetUInt32(position * sizeof(uint));
            RemoveChild(child, chunk, height - 1);
            bool childGone = (chunk & ((1u << (FanoutBits * level)) - 1)) == 0;
            if (childGone && position > 0)
            {
                using PageHandle handle = pages.Pin(new PageNumber(page), PageIntent.Write);
                handle.Bytes.SetUInt32(position * sizeof(uint), 0);
            }

            if (!childGone || position > 0) return;
        }

        pages.Free(new PageNumber(page));
    }

    private ref Chunk Load(uint chunk)
    {
        if (chunk < (uint)_chunks.Length && _chunks[chunk].Values is not null) return ref _chunks[chunk];
        (uint page, uint length, int height) = ReadHeader();
        Invariant.That(chunk << FanoutBits < length, "only elements of the array are read");
        for (int level = height - 2; level >= 0; level--)
        {
            using PageHandle handle = pages.Pin(new PageNumber(page), PageIntent.Read);
            page = handle.Bytes.GetUInt32(LevelsAbove(chunk, level) * sizeof(uint));
        }

        return ref Mirror(chunk, page, fresh: false);
    }

    private ref Chunk Mirror(uint chunk, uint page, bool fresh)
    {
        if (chunk >= (uint)_chunks.Length)
            Array.Resize(ref _chunks, Math.Max((int)chunk + 1, _chunks.Length * 2));
        ref Chunk mirror = ref _chunks[chunk];
        mirror.Values ??= new uint[Fanout];
        mirror.Page = page;
        if (!fresh)
        {
            using PageHandle handle = pages.Pin(new PageNumber(page), PageIntent.Read);
            for (int i = 0; i < Fanout; i++) mirror.Values[i] = handle.Bytes.GetUInt32(i * sizeof(uint));
        }

        return ref mirror;
    }

    private void Unmirror(uint chunk)
    {
        if (chunk >= (uint)_chunks.Length) return;
        // The first chunk's array is kept: an owner that swings between empty and one element allocates nothing.
        uint[]? kept = chunk == 0 ? _chunks[0].Values : null;
        kept?.AsSpan().Clear();
        _chunks[chunk] = new Chunk { Values = kept };
    }

    private (uint Root, uint Length, int Height) ReadHeader()
    {
        using PageHandle handle = pages.Pin(headerPage, PageIntent.Read);
        Span<byte> header = Header(handle);
        return (header.GetUInt32(RootField), header.GetUInt32(LengthField), (int)header.GetUInt32(HeightField));
    }

    private void WriteHeader(uint root, uint length, int height)
    {
        using PageHandle handle = pages.Pin(headerPage, PageIntent.Write);
        Span<byte> header = Header(handle);
        header.SetUInt32(RootField, root);
        header.SetUInt32(LengthField, length);
        header.SetUInt32(HeightField, (uint)height);
    }

    private Span<byte> Header(PageHandle handle) => handle.Bytes.Slice(headerOffset, HeaderSize);
}
