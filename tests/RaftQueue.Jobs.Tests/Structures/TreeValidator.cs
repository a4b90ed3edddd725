using System.Buffers.Binary;
using RaftQueue.Jobs.Structures;
using RaftQueue.Pages;

namespace RaftQueue.Jobs.Tests.Structures;

/// <summary>Reads a tree's pages by the documented layout, apart from the code that writes them, and checks every node.</summary>
internal sealed class TreeValidator
{
    private const int LeafCapacity = 215;
    private const int InnerCapacity = 177;

    private readonly PageStore _pages;
    private readonly List<TreeEntry> _entries = [];
    private readonly Dictionary<int, List<(uint Page, uint Next)>> _levels = [];
    private int _nodes;

    private TreeValidator(PageStore pages) => _pages = pages;

    /// <summary>Every entry in order; fails when the tree's form is wrong or the store holds pages that are not the tree's.</summary>
    public static List<TreeEntry> Validate(PageStore pages)
    {
        var validator = new TreeValidator(pages);
        ReadOnlySpan<byte> header = TestPages.Copy(pages, 1).AsSpan(TestPages.HeaderOffset, OrderedTree.HeaderSize);
        long count = BinaryPrimitives.ReadInt64LittleEndian(header);
        uint root = BinaryPrimitives.ReadUInt32LittleEndian(header[8..]);
        uint first = BinaryPrimitives.ReadUInt32LittleEndian(header[12..]);
        int height = BinaryPrimitives.ReadInt32LittleEndian(header[16..]);
        if (root == 0)
        {
            Assert.Equal(0, count);
            Assert.Equal(0, height);
            Assert.Equal(0u, first);
        }
        else
        {
            validator.Node(root, height - 1, isRoot: true, lower: null, upper: null);
            Assert.Equal(first, validator._levels[0][0].Page);
        }

        Assert.Equal(count, validator._entries.Count);
        Assert.Equal(pages.AllocatedPages, validator._nodes + 1);
        validator.Links();
        return validator._entries;
    }

    private void Links()
    {
        foreach (List<(uint Page, uint Next)> level in _levels.Values)
            for (int i = 0; i < level.Count; i++)
                Assert.Equal(i + 1 < level.Count ? level[i + 1].Page : 0, level[i].Next);
    }

    private void Node(uint page, int level, bool isRoot, TreeEntry? lower, TreeEntry? upper)
    {
        _nodes++;
        byte[] bytes = TestPages.Copy(_pages, page);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(bytes);
        uint next = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(4));
        Assert.Equal(level, bytes[2]);
        Assert.Equal(0, bytes[3]);
        int capacity = level == 0 ? LeafCapacity : InnerCapacity;
        int least = level == 0 ? 1 : 2;
        if (!isRoot && next != 0) least = capacity * 7 / 16;
        Assert.InRange(count, least, capacity);
        if (!_levels.TryGetValue(level, out List<(uint, uint)>? nodes)) _levels[level] = nodes = [];
        nodes.Add((page, next));

        int stride = level == 0 ? 19 : 23;
        Assert.True(bytes.AsSpan(8 + count * stride).IndexOfAnyExcept((byte)0) < 0, "a node's tail is zero");
        TreeEntry? before = null;
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> entry = bytes.AsSpan(8 + i * stride, stride);
            TreeEntry key = Decode(entry);
            Assert.True(before is null || Less(before.Value, key), "a node's keys ascend");
            Assert.True(lower is null || !Less(key, lower.Value), "no key is below its subtree's bound");
            Assert.True(upper is null || Less(key, upper.Value), "every key is below the next subtree's bound");
            before = key;
            if (level == 0)
            {
                _entries.Add(key);
                continue;
            }

            if (i == 0) Assert.Equal(lower ?? default, key);
            TreeEntry? end = i + 1 < count ? Decode(bytes.AsSpan(8 + (i + 1) * stride, stride)) : upper;
            Node(BinaryPrimitives.ReadUInt32LittleEndian(entry[19..]), level - 1, isRoot: false, i == 0 ? lower : key, end);
        }
    }

    private static TreeEntry Decode(ReadOnlySpan<byte> bytes)
    {
        UInt128 number = ((UInt128)BinaryPrimitives.ReadUInt64LittleEndian(bytes) << 64)
            | BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]);
        long low = bytes[16] | ((long)bytes[17] << 8) | ((long)bytes[18] << 16);
        return new TreeEntry(
            (long)(number >> 80), (long)(number >> 24) & TreeEntry.MaxSequence, ((long)(number & 0xFFFFFF) << 24) | low);
    }

    private static bool Less(TreeEntry left, TreeEntry right) => TreeOrder.Compare(left, right) < 0;
}
