using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs.Structures;

/// <summary>
/// A page of an <see cref="OrderedTree"/>: entries in use (2 bytes), level (1, leaves are 0), a zero, the next page of the same
/// level (4, 0 for the last), then packed entries, then zeros. An entry is a key of 19 bytes (8, 8 and 3) and, above the
/// leaves, the child (4) whose keys are not below it; the key of a level's very first entry is zero and stands for no bound.
/// </summary>
/// <remarks>Made over the span of a pinned page and not kept beyond it. Whoever changes it pinned the page for writing.</remarks>
internal readonly ref struct TreeNode
{
    public const int LeafCapacity = (PageStore.PageSize - HeaderBytes) / KeyBytes;
    public const int InnerCapacity = (PageStore.PageSize - HeaderBytes) / InnerBytes;

    private const int HeaderBytes = 8;
    private const int KeyBytes = 19;
    private const int InnerBytes = KeyBytes + sizeof(uint);

    private const int CountField = 0;
    private const int LevelField = 2;
    private const int NextField = 4;

    private readonly Span<byte> _bytes;
    private readonly int _stride;

    public TreeNode(PageHandle page)
    {
        _bytes = page.Bytes;
        _stride = _bytes[LevelField] == 0 ? KeyBytes : InnerBytes;
    }

    public int Count => _bytes.GetUInt16(CountField);

    public int Level => _bytes[LevelField];

    public bool IsLeaf => _stride == KeyBytes;

    public uint Next => _bytes.GetUInt32(NextField);

    public int Capacity => IsLeaf ? LeafCapacity : InnerCapacity;

    public bool IsFull => Count == Capacity;

    /// <summary>Fewer than this is an underflow, except at a level's right end.</summary>
    public int Minimum => Capacity * 7 / 16;

    /// <summary>Two neighbours with no more than this together become one.</summary>
    public int MergeLimit => Capacity * 7 / 8;

    /// <summary>A neighbour with no more than this takes entries from a full one.</summary>
    public int RoomLimit => Capacity - Capacity / 8;

    /// <summary>Makes a zeroed page a node of a level.</summary>
    public static TreeNode Create(PageHandle page, int level)
    {
        page.Write[LevelField] = (byte)level;
        return new TreeNode(page);
    }

    public void SetNext(uint page) => _bytes.SetUInt32(NextField, page);

    public TreeKey Key(int index)
    {
        ReadOnlySpan<byte> entry = _bytes.Slice(Offset(index), KeyBytes);
        return new TreeKey(entry.GetUInt64(0), entry.GetUInt64(8), entry.GetUInt16(16) | ((uint)entry[18] << 16));
    }

    public uint Child(int index) => _bytes.GetUInt32(Offset(index) + KeyBytes);

    public void SetKey(int index, in TreeKey key)
    {
        Span<byte> entry = _bytes.Slice(Offset(index), KeyBytes);
        entry.SetUInt64(0, key.High);
        entry.SetUInt64(8, key.Middle);
        entry.SetUInt16(16, (ushort)key.Low);
        entry[18] = (byte)(key.Low >> 16);
    }

    /// <summary>How many keys are below the given one. Above the leaves the first entry always counts.</summary>
    public int CountBelow(in TreeKey key)
    {
        ref byte first = ref Entries(out int count);
        int low = IsLeaf ? 0 : 1;
        int left = count - low;
        while (left > 0)
        {
            int half = left >> 1;
            if (IsBelow(ref Unsafe.Add(ref first, (low + half) * _stride), key))
            {
                low += half + 1;
                left -= half + 1;
            }
            else
            {
                left = half;
            }
        }

        return low;
    }

    /// <summary>How many keys are at or below the given one. Above the leaves the first entry always counts.</summary>
    public int CountThrough(in TreeKey key)
    {
        int below = CountBelow(key);
        return below < Count && Key(below).IsSameAs(key) ? below + 1 : below;
    }

    public void Insert(int index, in TreeKey key, uint child)
    {
        int count = Count;
        Invariant.That(count < Capacity, "a tree node has room for what is put into it");
        _bytes.Slice(Offset(index), (count - index) * _stride).CopyTo(_bytes[Offset(index + 1)..]);
        SetKey(index, key);
        if (!IsLeaf) _bytes.SetUInt32(Offset(index) + KeyBytes, child);
        _bytes.SetUInt16(CountField, (ushort)(count + 1));
    }

    public void Remove(int index, int entries)
    {
        int count = Count;
        _bytes[Offset(index + entries)..Offset(count)].CopyTo(_bytes[Offset(index)..]);
        _bytes[Offset(count - entries)..Offset(count)].Clear();
        _bytes.SetUInt16(CountField, (ushort)(count - entries));
    }

    /// <summary>Moves entries from the end of this node to the front of its right neighbour.</summary>
    public void MoveRight(TreeNode right, int entries)
    {
        int count = Count;
        int other = right.Count;
        Invariant.That(other + entries <= Capacity, "a tree node has room for what is moved into it");
        Span<byte> moved = _bytes[Offset(count - entries)..Offset(count)];
        right._bytes[HeaderBytes..Offset(other)].CopyTo(right._bytes[Offset(entries)..]);
        moved.CopyTo(right._bytes[HeaderBytes..]);
        moved.Clear();
        _bytes.SetUInt16(CountField, (ushort)(count - entries));
        right._bytes.SetUInt16(CountField, (ushort)(other + entries));
    }

    /// <summary>Moves entries from the front of the right neighbour to the end of this node.</summary>
    public void MoveLeft(TreeNode right, int entries)
    {
        int count = Count;
        Invariant.That(count + entries <= Capacity, "a tree node has room for what is moved into it");
        right._bytes[HeaderBytes..Offset(entries)].CopyTo(_bytes[Offset(count)..]);
        _bytes.SetUInt16(CountField, (ushort)(count + entries));
        right.Remove(0, entries);
    }

    /// <summary>Gives both neighbours half of what they hold together.</summary>
    public void Even(TreeNode right)
    {
        int count = Count;
        int half = (count + right.Count) / 2;
        if (count > half) MoveRight(right, count - half);
        else MoveLeft(right, half - count);
    }

    private int Offset(int index) => HeaderBytes + index * _stride;

    // The one place that does without bounds checks: the count is checked against the page instead.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref byte Entries(out int count)
    {
        count = Count;
        Invariant.That(count <= Capacity && _bytes.Length == PageStore.PageSize, "a tree node's entries lie in its page");
        return ref Unsafe.Add(ref MemoryMarshal.GetReference(_bytes), HeaderBytes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsBelow(ref byte entry, in TreeKey key)
    {
        ulong high = Number(ref entry);
        return high != key.High ? high < key.High : IsBelowSameHigh(ref entry, key);
    }

    private static bool IsBelowSameHigh(ref byte entry, in TreeKey key)
    {
        ulong middle = Number(ref Unsafe.Add(ref entry, 8));
        if (middle != key.Middle) return middle < key.Middle;
        uint low = Unsafe.Add(ref entry, 16) | ((uint)Unsafe.Add(ref entry, 17) << 8) | ((uint)Unsafe.Add(ref entry, 18) << 16);
        return low < key.Low;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Number(ref byte at)
    {
        ulong number = Unsafe.ReadUnaligned<ulong>(ref at);
        return BitConverter.IsLittleEndian ? number : System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(number);
    }
}
