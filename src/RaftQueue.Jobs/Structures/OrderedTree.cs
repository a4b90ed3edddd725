using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs.Structures;

/// <summary>
/// An ordered set of <see cref="TreeEntry"/>: a B+tree with 19 bytes an entry in the leaves and links between neighbours
/// (after Comer, "The Ubiquitous B-Tree", 1979). A full node first gives to a neighbour and splits only when that is full
/// too (the idea of the B*-tree); at the right end it starts an empty one, so that ascending entries fill their pages.
/// </summary>
/// <remarks>
/// A step reads one page a level and changes three of them at most, mostly one. The first leaf never changes its page while
/// the tree has entries, so <see cref="TryFirst"/> reads two pages at any height. Not thread-safe.
/// </remarks>
public sealed partial class OrderedTree
{
    /// <summary>Bytes at the header's place; all zero is an empty tree.</summary>
    public const int HeaderSize = 24;

    private const int CountField = 0;
    private const int RootField = 8;
    private const int FirstField = 12;
    private const int HeightField = 16;

    // Inner nodes have at least 77 children, but for one a level,: 12 levels are more than there are page numbers.
    private const int MaxHeight = 12;

    private readonly PageStore _pages;
    private readonly PageNumber _headerPage;
    private readonly int _headerOffset;

    /// <summary>Opens the tree whose header is at the given place.</summary>
    public OrderedTree(PageStore pages, PageNumber headerPage, int headerOffset)
    {
        Invariant.That(headerOffset >= 0 && headerOffset <= PageStore.PageSize - HeaderSize, "a header fits its page");
        _pages = pages;
        _headerPage = headerPage;
        _headerOffset = headerOffset;
    }

    private struct Step
    {
        public uint Page;
        public int Index;
    }

    /// <summary>Entries held.</summary>
    public long Count
    {
        get
        {
            using PageHandle handle = _pages.Pin(_headerPage, PageIntent.Read);
            return handle.Read.GetInt64(_headerOffset + CountField);
        }
    }

    /// <summary>Writes the header of an empty tree; pages of an earlier one at this place are not given back.</summary>
    public void Initialize()
    {
        using PageHandle handle = _pages.Pin(_headerPage, PageIntent.Write);
        Header(handle).Clear();
    }

    /// <summary>Adds the entry. False when it is there already.</summary>
    public bool Insert(in TreeEntry entry)
    {
        TreeKey key = TreeKey.From(entry);
        Span<Step> path = stackalloc Step[MaxHeight];
        uint page = Descend(key, path, out int depth);
        if (page == 0)
        {
            Begin(key);
            return true;
        }

        int index;
        bool full;
        using (PageHandle handle = _pages.Pin(new PageNumber(page), PageIntent.Write))
        {
            TreeNode leaf = new(handle);
            index = leaf.CountBelow(key);
            if (index < leaf.Count && leaf.Key(index).IsSameAs(key)) return false;
            full = leaf.IsFull;
            if (!full) leaf.Insert(index, key, 0);
        }

        if (full) InsertIntoFull(path[..depth], page, index, key);
        AddToCount(1);
        return true;
    }

    /// <summary>Takes the entry out. False when it is not there.</summary>
    public bool Remove(in TreeEntry entry)
    {
        TreeKey key = TreeKey.From(entry);
        Span<Step> path = stackalloc Step[MaxHeight];
        uint page = Descend(key, path, out int depth);
        if (page == 0) return false;
        int index;
        using (PageHandle handle = _pages.Pin(new PageNumber(page), PageIntent.Read))
        {
            TreeNode leaf = new(handle);
            index = leaf.CountBelow(key);
            if (index == leaf.Count || !leaf.Key(index).IsSameAs(key)) return false;
        }

        RemoveFromLeaf(path[..depth], page, index, 1);
        return true;
    }

    /// <summary>
    /// Takes at most <paramref name="max"/> of the smallest entries out and returns how many. Repeated until it returns 0 it
    /// clears the tree in bounded steps.
    /// </summary>
    public int RemoveSome(int max)
    {
        Span<Step> path = stackalloc Step[MaxHeight];
        int removed = 0;
        while (removed < max)
        {
            uint page = Descend(default, path, out int depth);
            if (page == 0) break;
            int entries;
            using (PageHandle handle = _pages.Pin(new PageNumber(page), PageIntent.Read))
                entries = Math.Min(max - removed, new TreeNode(handle).Count);
            RemoveFromLeaf(path[..depth], page, 0, entries);
            removed += entries;
        }

        return removed;
    }

    /// <summary>The smallest entry. False when the tree is empty.</summary>
    public bool TryFirst(out TreeEntry entry)
    {
        uint first;
        using (PageHandle handle = _pages.Pin(_headerPage, PageIntent.Read))
            first = handle.Read.GetUInt32(_headerOffset + FirstField);
        return TryFirstOf(first, out entry);
    }

    /// <summary>The smallest entry above the given one, which need not be in the tree. False when there is none.</summary>
    public bool TryNext(in TreeEntry after, out TreeEntry entry)
    {
        TreeKey key = TreeKey.From(after);
        uint page = Find(key);
        if (page == 0) return TryFirstOf(0, out entry);
        uint next;
        using (PageHandle handle = _pages.Pin(new PageNumber(page), PageIntent.Read))
        {
            TreeNode leaf = new(handle);
            int index = leaf.CountThrough(key);
            if (index < leaf.Count)
            {
                entry = leaf.Key(index).ToEntry();
                return true;
            }

            next = leaf.Next;
        }

        return TryFirstOf(next, out entry);
    }

    /// <summary>Copies the smallest entries that are not later than the time, as many as there is room for; returns how many.</summary>
    public int CopyThrough(long time, Span<TreeEntry> into)
    {
        uint page;
        using (PageHandle handle = _pages.Pin(_headerPage, PageIntent.Read))
            page = handle.Read.GetUInt32(_headerOffset + FirstField);
        int copied = 0;
        while (page != 0 && copied < into.Length)
        {
            using PageHandle handle = _pages.Pin(new PageNumber(page), PageIntent.Read);
            TreeNode leaf = new(handle);
            int count = Math.Min(leaf.Count, into.Length - copied);
            for (int i = 0; i < count; i++)
            {
                TreeEntry entry = leaf.Key(i).ToEntry();
                if (entry.Time > time) return copied;
                into[copied++] = entry;
            }

            page = leaf.Next;
        }

        return copied;
    }

    /// <summary>An entry with this time is about to be inserted or removed. The nodes above its leaf are read.</summary>
    public void Prefetch(long time)
    {
        uint page = Find(TreeKey.From(new TreeEntry(Math.Min(time, TreeEntry.MaxTime), TreeEntry.MaxSequence, TreeEntry.MaxValue)));
        if (page != 0) _pages.Prefetch(new PageNumber(page));
    }

    /// <summary>How many entries are not later than the time, at most <paramref name="max"/>. Reads a page for some 200 of them.</summary>
    public int CountThrough(long time, int max)
    {
        uint page;
        using (PageHandle handle = _pages.Pin(_headerPage, PageIntent.Read))
            page = handle.Read.GetUInt32(_headerOffset + FirstField);
        TreeKey above = TreeKey.From(new TreeEntry(Math.Min(time, TreeEntry.MaxTime), TreeEntry.MaxSequence, TreeEntry.MaxValue));
        int counted = 0;
        while (page != 0 && counted < max)
        {
            using PageHandle handle = _pages.Pin(new PageNumber(page), PageIntent.Read);
            TreeNode leaf = new(handle);
            int here = leaf.CountThrough(above);
            counted += here;
            page = here < leaf.Count ? 0 : leaf.Next;
        }

        return Math.Min(counted, max);
    }

    /// <summary>Whether the entry is there.</summary>
    public bool Contains(in TreeEntry entry)
    {
        TreeKey key = TreeKey.From(entry);
        uint page = Find(key);
        if (page == 0) return false;
        using PageHandle handle = _pages.Pin(new PageNumber(page), PageIntent.Read);
        TreeNode leaf = new(handle);
        int index = leaf.CountBelow(key);
        return index < leaf.Count && leaf.Key(index).IsSameAs(key);
    }

    private Span<byte> Header(PageHandle handle) => handle.Write.Slice(_headerOffset, HeaderSize);

    private void AddToCount(int entries)
    {
        using PageHandle handle = _pages.Pin(_headerPage, PageIntent.Write);
        Span<byte> header = Header(handle);
        header.SetInt64(CountField, header.GetInt64(CountField) + entries);
    }

    private bool TryFirstOf(uint page, out TreeEntry entry)
    {
        entry = default;
        if (page == 0) return false;
        using PageHandle handle = _pages.Pin(new PageNumber(page), PageIntent.Read);
        TreeNode leaf = new(handle);
        Invariant.That(leaf.Count > 0, "no leaf is empty");
        entry = leaf.Key(0).ToEntry();
        return true;
    }

    private uint Root(out int height)
    {
        using PageHandle handle = _pages.Pin(_headerPage, PageIntent.Read);
        ReadOnlySpan<byte> header = handle.Read.Slice(_headerOffset, HeaderSize);
        height = (int)header.GetUInt32(HeightField);
        return header.GetUInt32(RootField);
    }

    private uint Find(in TreeKey key)
    {
        uint page = Root(out int height);
        for (int level = height - 1; level > 0; level--)
        {
            using PageHandle handle = _pages.Pin(new PageNumber(page), PageIntent.Read);
            TreeNode node = new(handle);
            page = node.Child(node.CountThrough(key) - 1);
        }

        return page;
    }

    /// <summary>The leaf where the key belongs, 0 in an empty tree; the nodes above it with the child taken, root first.</summary>
    private uint Descend(in TreeKey key, Span<Step> path, out int depth)
    {
        uint page = Root(out int height);
        depth = Math.Max(height - 1, 0);
        for (int i = 0; i < depth; i++)
        {
            using PageHandle handle = _pages.Pin(new PageNumber(page), PageIntent.Read);
            TreeNode node = new(handle);
            int index = node.CountThrough(key) - 1;
            path[i] = new Step { Page = page, Index = index };
            page = node.Child(index);
        }

        return page;
    }

    private void Begin(in TreeKey key)
    {
        PageNumber root = _pages.Allocate();
        using (PageHandle handle = _pages.Pin(root, PageIntent.Write)) TreeNode.Create(handle, 0).Insert(0, key, 0);
        using PageHandle top = _pages.Pin(_headerPage, PageIntent.Write);
        Span<byte> header = Header(top);
        header.SetInt64(CountField, 1);
        header.SetUInt32(FirstField, root.Value);
        header.SetUInt32(RootField, root.Value);
        header.SetUInt32(HeightField, 1);
    }

    private void SetRoot(uint root, int height)
    {
        Invariant.That(height <= MaxHeight, "a tree is lower than its path is long");
        using PageHandle handle = _pages.Pin(_headerPage, PageIntent.Write);
        Span<byte> header = Header(handle);
        header.SetUInt32(RootField, root);
        header.SetUInt32(HeightField, (uint)height);
        if (root == 0) header.SetUInt32(FirstField, 0);
    }
}
