using RaftQueue.Primitives;

namespace RaftQueue.Pages.Tests;

/// <summary>What the pages should hold: a dictionary beside the store, changed with it by seeded steps.</summary>
internal sealed class StateModel
{
    private readonly SortedDictionary<uint, byte[]> _pages = new() { [1] = new byte[PageStore.PageSize] };

    public IReadOnlyDictionary<uint, byte[]> Pages => _pages;

    public StateModel Clone()
    {
        var copy = new StateModel();
        foreach ((uint page, byte[] bytes) in _pages) copy._pages[page] = bytes;
        return copy;
    }

    /// <summary>One allocation, free or write to both, drawn from <paramref name="random"/>; at most so many pages.</summary>
    public void Step(PageStore store, IRandomSource random, int pages)
    {
        long kind = random.NextBelow(12);
        if (kind % 2 == 0) store.BeginStep();
        if (kind < 3 && _pages.Count < pages) Allocate(store);
        else if (kind < 4 && _pages.Count > 1) Free(store, Pick(random, from: 1));
        else if (kind < 10) Write(store, Pick(random, from: 0), random);
        else Read(store, Pick(random, from: 0));
    }

    public void Read(PageStore store, uint page)
    {
        using PageHandle handle = store.Pin(new PageNumber(page), PageIntent.Read);
        Assert.True(handle.Read.SequenceEqual(_pages[page]), $"page {page} differs");
    }

    public void Allocate(PageStore store)
    {
        uint expected = 1;
        while (_pages.ContainsKey(expected)) expected++;
        Assert.Equal(expected, store.Allocate().Value);
        _pages.Add(expected, new byte[PageStore.PageSize]);
    }

    public void Free(PageStore store, uint page)
    {
        store.Free(new PageNumber(page));
        _pages.Remove(page);
    }

    public void Write(PageStore store, uint page, IRandomSource random)
    {
        int offset = (int)random.NextBelow(PageStore.PageSize - 8);
        ulong value = random.NextUInt64();
        using PageHandle handle = store.Pin(new PageNumber(page), PageIntent.Write);
        BitConverter.TryWriteBytes(handle.Write[offset..], value);

        // The bytes may be shared with a clone.
        byte[] changed = (byte[])_pages[page].Clone();
        BitConverter.TryWriteBytes(changed.AsSpan(offset), value);
        _pages[page] = changed;
    }

    public void AssertHeldBy(PageStore store)
    {
        Assert.Equal(_pages.Count, store.AllocatedPages);
        foreach ((uint page, byte[] bytes) in _pages)
        {
            using PageHandle handle = store.Pin(new PageNumber(page), PageIntent.Read);
            Assert.True(handle.Read.SequenceEqual(bytes), $"page {page} differs");
        }
    }

    private uint Pick(IRandomSource random, int from) => _pages.Keys.ElementAt(from + (int)random.NextBelow(_pages.Count - from));
}
