using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs.Structures;

// How nodes split, give to their neighbours and merge. A split keeps the left page and a merge too: the first leaf never moves.
public sealed partial class OrderedTree
{
    /// <summary>Puts an entry into a full node: gives to a neighbour, or splits and goes on in the node above.</summary>
    private void InsertIntoFull(ReadOnlySpan<Step> path, uint page, int index, TreeKey key)
    {
        uint child = 0;
        for (int depth = path.Length; ; depth--)
        {
            bool appends = IsAppend(page, index);
            if (depth > 0 && !appends && TryGiveToNeighbour(path[depth - 1], key, child)) return;
            PageNumber right = Split(page, index, key, child, appends, out TreeKey bound);
            if (depth == 0)
            {
                AddRoot(page, bound, right.Value);
                return;
            }

            Step above = path[depth - 1];
            using (PageHandle handle = _pages.Pin(new PageNumber(above.Page), PageIntent.Write))
            {
                TreeNode parent = new(handle);
                if (!parent.IsFull)
                {
                    parent.Insert(above.Index + 1, bound, right.Value);
                    return;
                }
            }

            page = above.Page;
            index = above.Index + 1;
            key = bound;
            child = right.Value;
        }
    }

    private bool IsAppend(uint page, int index)
    {
        using PageHandle handle = _pages.Pin(new PageNumber(page), PageIntent.Read);
        TreeNode node = new(handle);
        return node.Next == 0 && index == node.Count;
    }

    private bool TryGiveToNeighbour(Step above, in TreeKey key, uint child)
    {
        using PageHandle handle = _pages.Pin(new PageNumber(above.Page), PageIntent.Write);
        TreeNode parent = new(handle);
        if (above.Index + 1 < parent.Count && HasRoom(parent.Child(above.Index + 1)))
            InsertIntoPair(parent, above.Index, key, child);
        else if (above.Index > 0 && HasRoom(parent.Child(above.Index - 1)))
            InsertIntoPair(parent, above.Index - 1, key, child);
        else
            return false;
        return true;
    }

    private bool HasRoom(uint page)
    {
        using PageHandle handle = _pages.Pin(new PageNumber(page), PageIntent.Read);
        TreeNode node = new(handle);
        return node.Count <= node.RoomLimit;
    }

    /// <summary>Evens out two neighbours, one of them full, and puts the entry where it now belongs.</summary>
    private void InsertIntoPair(TreeNode parent, int leftIndex, in TreeKey key, uint child)
    {
        using PageHandle leftPage = _pages.Pin(new PageNumber(parent.Child(leftIndex)), PageIntent.Write);
        using PageHandle rightPage = _pages.Pin(new PageNumber(parent.Child(leftIndex + 1)), PageIntent.Write);
        TreeNode left = new(leftPage);
        TreeNode right = new(rightPage);
        left.Even(right);
        TreeKey bound = right.Key(0);
        parent.SetKey(leftIndex + 1, bound);
        TreeNode target = key.IsLessThan(bound) ? left : right;
        target.Insert(target.CountBelow(key), key, child);
    }

    /// <summary>Moves half of a full node (of one that is appended to: as little as possible) to a new right neighbour.</summary>
    private PageNumber Split(uint page, int index, in TreeKey key, uint child, bool appends, out TreeKey bound)
    {
        PageNumber fresh = _pages.Allocate();
        using PageHandle leftPage = _pages.Pin(new PageNumber(page), PageIntent.Write);
        using PageHandle rightPage = _pages.Pin(fresh, PageIntent.Write);
        TreeNode left = new(leftPage);
        TreeNode right = TreeNode.Create(rightPage, left.Level);
        right.SetNext(left.Next);
        left.SetNext(fresh.Value);
        int moved = left.Count / 2;
        // An inner node has two children at least, so that each child has a neighbour to merge with.
        if (appends) moved = left.IsLeaf ? 0 : 1;
        left.MoveRight(right, moved);
        int kept = left.Count;
        if (index > kept || appends) right.Insert(index - kept, key, child);
        else left.Insert(index, key, child);
        bound = right.Key(0);
        return fresh;
    }

    private void AddRoot(uint left, in TreeKey bound, uint right)
    {
        int height;
        PageNumber root = _pages.Allocate();
        using (PageHandle handle = _pages.Pin(root, PageIntent.Write))
        {
            Root(out height);
            TreeNode node = TreeNode.Create(handle, height);
            node.Insert(0, default, left);
            node.Insert(1, bound, right);
        }

        SetRoot(root.Value, height + 1);
    }

    private void RemoveFromLeaf(ReadOnlySpan<Step> path, uint page, int index, int entries)
    {
        bool fix;
        bool empty;
        using (PageHandle handle = _pages.Pin(new PageNumber(page), PageIntent.Write))
        {
            TreeNode leaf = new(handle);
            leaf.Remove(index, entries);
            fix = leaf.Count < leaf.Minimum;
            empty = leaf.Count == 0;
        }

        AddToCount(-entries);
        if (path.Length > 0)
        {
            if (fix) FixUnderflow(path);
        }
        else if (empty)
        {
            _pages.Free(new PageNumber(page));
            SetRoot(0, 0);
        }
    }

    /// <summary>Merges or evens out a node that holds too little, the last one of the path's children, and then those above.</summary>
    private void FixUnderflow(ReadOnlySpan<Step> path)
    {
        for (int depth = path.Length - 1; depth >= 0; depth--)
        {
            Step above = path[depth];
            uint gone;
            bool parentToo;
            uint onlyChild = 0;
            using (PageHandle handle = _pages.Pin(new PageNumber(above.Page), PageIntent.Write))
            {
                TreeNode parent = new(handle);
                int leftIndex = above.Index + 1 < parent.Count ? above.Index : above.Index - 1;
                Invariant.That(leftIndex >= 0, "every child has a neighbour");
                gone = MergeOrEven(parent, leftIndex);
                parentToo = parent.Count < parent.Minimum;
                if (parent.Count == 1) onlyChild = parent.Child(0);
            }

            if (gone == 0) return;
            _pages.Free(new PageNumber(gone));
            if (depth == 0 && onlyChild != 0)
            {
                Root(out int height);
                SetRoot(onlyChild, height - 1);
                _pages.Free(new PageNumber(above.Page));
            }

            if (!parentToo) return;
        }
    }

    /// <summary>Returns the right page when all its entries went to the left one.</summary>
    private uint MergeOrEven(TreeNode parent, int leftIndex)
    {
        uint gone = parent.Child(leftIndex + 1);
        using PageHandle leftPage = _pages.Pin(new PageNumber(parent.Child(leftIndex)), PageIntent.Write);
        using PageHandle rightPage = _pages.Pin(new PageNumber(gone), PageIntent.Write);
        TreeNode left = new(leftPage);
        TreeNode right = new(rightPage);
        if (left.Count + right.Count > left.MergeLimit)
        {
            left.Even(right);
            parent.SetKey(leftIndex + 1, right.Key(0));
            return 0;
        }

        left.MoveLeft(right, right.Count);
        left.SetNext(right.Next);
        parent.Remove(leftIndex + 1, 1);
        return gone;
    }
}
