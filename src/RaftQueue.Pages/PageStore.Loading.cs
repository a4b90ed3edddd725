using RaftQueue.Primitives;

namespace RaftQueue.Pages;

// Beginning from a checkpoint, and the hash of everything.
public sealed unsafe partial class PageStore
{
    /// <summary>The state that a verified table describes; nothing is dirty and no page is in memory.</summary>
    internal static PageStore Load(PageStoreOptions options, CheckpointFile file, TableNode root)
    {
        var store = new PageStore(options, file);
        foreach ((TableNode leaf, uint firstPage) in root.Leaves())
        {
            for (int index = leaf.NextUsed(0); index < TableNode.FanOut; index = leaf.NextUsed(index + 1))
            {
                store.AddLoaded(firstPage + (uint)index);
            }
        }

        store._baseTable = root;
        return store;
    }

    /// <summary>
    /// The hash that a checkpoint of the state as it is now would have, from every byte of it. Costs time in proportion to
    /// all pages: for tests and audits.
    /// </summary>
    public ulong ComputeRootHash()
    {
        TableNode root = TableNode.Empty(TableNode.RootLevel);
        for (uint page = 1; page < _next; page++)
        {
            if ((_entry[page] & PageEntries.Allocated) == 0) continue;
            ulong hash;
            using (PageHandle handle = Pin(new PageNumber(page), PageIntent.Read)) hash = PageHash.OfPage(handle.Read);
            TableNode middle = ChildOf(root, (int)(page >> 16));
            ChildOf(middle, (int)(page >> 8) & 0xFF).Set((int)page & 0xFF, new TableEntry(1, 0, hash));
        }

        return HashUpwards(root);
    }

    private static TableNode ChildOf(TableNode node, int index)
    {
        if (node.Child(index) is { } child) return child;
        child = TableNode.Empty(node.Level - 1);
        node.Attach(index, child);
        return child;
    }

    private static ulong HashUpwards(TableNode node)
    {
        for (int i = 0; node.Level > 0 && i < TableNode.FanOut; i++)
        {
            if (node.Child(i) is { } child) node.Set(i, new TableEntry(1, 0, HashUpwards(child)), child);
        }

        return node.Hash();
    }

    private void AddLoaded(uint page)
    {
        Invariant.That(page < (uint)_options.MaxPages, "a store is large enough for the checkpoint it is loaded from");
        if (page >= _capacity) Grow(page + 1);
        while (_next < page) _free.Add(_next++);
        _entry[page] = PageEntries.Allocated;
        _next = page + 1;
    }
}
