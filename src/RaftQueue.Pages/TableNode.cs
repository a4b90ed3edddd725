using System.Buffers.Binary;
using RaftQueue.Primitives;

namespace RaftQueue.Pages;

/// <summary>
/// A node of the page table, exactly as it stands in its slot: 256 entries of slot u32, CRC32C u32, hash u64, little
/// endian. The tree always has three levels (root 2, middle 1, leaf 0), and a page's place in it is its number, so that
/// the hash of a node (over its children's hashes alone) depends only on page numbers and contents. A node does not change
/// once a checkpoint or a reader can see it.
/// </summary>
internal sealed class TableNode
{
    public const int FanOut = 256;
    public const int RootLevel = 2;
    private const int EntrySize = 16;

    private readonly TableNode?[] _children;

    private TableNode(int level, byte[] bytes, TableNode?[] children)
    {
        Level = level;
        Bytes = bytes;
        _children = children;
    }

    /// <summary>0 for a leaf, whose children are pages.</summary>
    public int Level { get; }

    /// <summary>One page.</summary>
    public byte[] Bytes { get; }

    public TableEntry this[int index]
    {
        get
        {
            ReadOnlySpan<byte> entry = Bytes.AsSpan(index * EntrySize, EntrySize);
            return new TableEntry(
                BinaryPrimitives.ReadUInt32LittleEndian(entry),
                BinaryPrimitives.ReadUInt32LittleEndian(entry[4..]),
                BinaryPrimitives.ReadUInt64LittleEndian(entry[8..]));
        }
    }

    public bool IsEmpty => Bytes.AsSpan().IndexOfAnyExcept((byte)0) < 0;

    public static TableNode Empty(int level) => FromBytes(level, new byte[PageStore.PageSize]);

    /// <summary>A node over its bytes, which it owns from now on; children are put in later.</summary>
    public static TableNode FromBytes(int level, byte[] bytes)
    {
        Invariant.That(bytes.Length == PageStore.PageSize, "a table node fills a slot");
        return new TableNode(level, bytes, level == 0 ? [] : new TableNode?[FanOut]);
    }

    public TableNode Clone() => new(Level, (byte[])Bytes.Clone(), (TableNode?[])_children.Clone());

    /// <summary>The child node; null for none and below a leaf.</summary>
    public TableNode? Child(int index) => Level == 0 ? null : _children[index];

    public void Set(int index, TableEntry entry, TableNode? child = null)
    {
        Span<byte> bytes = Bytes.AsSpan(index * EntrySize, EntrySize);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, entry.Slot);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[4..], entry.Crc);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], entry.Hash);
        if (Level > 0) _children[index] = child;
    }

    /// <summary>Puts in the node that entry <paramref name="index"/> describes.</summary>
    public void Attach(int index, TableNode child) => _children[index] = child;

    /// <summary>The next used entry at or after <paramref name="index"/>; 256 when there is none.</summary>
    public int NextUsed(int index)
    {
        while (index < FanOut && this[index].IsEmpty) index++;
        return index;
    }

    public int CountUsed()
    {
        int count = 0;
        for (int i = NextUsed(0); i < FanOut; i = NextUsed(i + 1)) count++;
        return count;
    }

    /// <summary>The hash over the children's hashes, comparable between files; see the class.</summary>
    public ulong Hash()
    {
        Span<ulong> hashes = stackalloc ulong[FanOut];
        for (int i = 0; i < FanOut; i++) hashes[i] = BinaryPrimitives.ReadUInt64LittleEndian(Bytes.AsSpan((i * EntrySize) + 8));
        return PageHash.Of(hashes, (ulong)Level + 1);
    }

    public uint Crc() => Crc32C.Compute(Bytes);

    /// <summary>The leaves below the root in page order, with the number of the first page each has room for.</summary>
    public IEnumerable<(TableNode Leaf, uint FirstPage)> Leaves()
    {
        Invariant.That(Level == RootLevel, "leaves are listed from the root");
        for (int i = NextUsed(0); i < FanOut; i = NextUsed(i + 1))
        {
            TableNode middle = _children[i]!;
            for (int j = middle.NextUsed(0); j < FanOut; j = middle.NextUsed(j + 1))
            {
                yield return (middle._children[j]!, (uint)(((i * FanOut) + j) * FanOut));
            }
        }
    }
}
