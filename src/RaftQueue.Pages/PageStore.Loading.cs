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
    /// The hash that a checkpoint of the state as it is now would have, from every byte of it: every page is read. Costs time in
    /// proportion to all pages: for tests and audits.
    /// </summary>
    public ulong ComputeRootHash() => RootHashOf(page =>
    {
        using PageHandle handle = Pin(new PageNumber(page), PageIntent.Read);
        return PageHash.OfPage(handle.Read);
    });

    /// <summary>
    /// The same from the bytes of the pages in memory, and for each of the others the hash with which it was written and which its next
    /// read is held against. Reads no disk and changes nothing, not even what is evicted next: for audits of a store that goes on.
    /// </summary>
    public ulong ComputeRootHashInPlace() => RootHashOf(page =>
    {
        ulong entry = _entry[page];
        if ((entry & PageEntries.Resident) == 0) return PlaceOf(page).Hash;
        return PageHash.OfPage(new ReadOnlySpan<byte>(_pool.Pointer((uint)(entry & PageEntries.FrameMask)), PageSize));
    });

    /// <summary>What <see cref="TableNode.Hash"/> would be of the root over these pages.</summary>
    private ulong RootHashOf(Func<uint, ulong> hashOf)
    {
        Invariant.That(!_disposed, "a disposed store is not used");
        Span<ulong> root = stackalloc ulong[TableNode.FanOut];
        Span<ulong> middle = stackalloc ulong[TableNode.FanOut];
        root.Clear();
        for (uint first = 0; first < _next; first += TableNode.FanOut * TableNode.FanOut)
        {
            middle.Clear();
            for (int i = 0; i < TableNode.FanOut && first + (i * TableNode.FanOut) < _next; i++)
                middle[i] = LeafHashOf(first + (uint)(i * TableNode.FanOut), hashOf);
            if (middle.IndexOfAnyExcept(0UL) >= 0) root[(int)(first >> 16)] = PageHash.Of(middle, TableNode.RootLevel);
        }

        return PageHash.Of(root, TableNode.RootLevel + 1);
    }

    /// <summary>0 when none of the pages exists.</summary>
    private ulong LeafHashOf(uint first, Func<uint, ulong> hashOf)
    {
        Span<ulong> hashes = stackalloc ulong[TableNode.FanOut];
        hashes.Clear();
        for (uint i = 0; i < TableNode.FanOut && first + i < _next; i++)
        {
            if ((_entry[first + i] & PageEntries.Allocated) != 0) hashes[(int)i] = hashOf(first + i);
        }

        return hashes.IndexOfAnyExcept(0UL) < 0 ? 0 : PageHash.Of(hashes, 1);
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
