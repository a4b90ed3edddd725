using RaftQueue.Jobs.Structures;
using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs.Tests.Structures;

/// <summary>All structures side by side under one history, as the job state has them: each item is in every one of them.</summary>
internal sealed class MixedState
{
    private const int RecordSize = 40;

    private readonly RecordSlab _slab;
    private readonly BlobStore _blobs;
    private readonly OrderedTree _tree;
    private readonly HashIndex _index;
    private readonly List<Item> _items;
    private readonly byte[] _payload = new byte[5_000];

    private readonly record struct Item(long Slot, BlobRef Blob, TreeEntry Due, ulong Hash);

    private MixedState(PageStore pages, List<Item> items)
    {
        _slab = new RecordSlab(pages, PageNumber.Root, 64, RecordSize);
        _blobs = new BlobStore(pages, PageNumber.Root, 64 + RecordSlab.HeaderSize);
        _tree = new OrderedTree(pages, PageNumber.Root, 200);
        _index = new HashIndex(pages, PageNumber.Root, 200 + OrderedTree.HeaderSize);
        _items = items;
    }

    public static MixedState Create(PageStore pages) => new(pages, []);

    /// <summary>The same state in another store that holds the same pages.</summary>
    public MixedState In(PageStore pages) => new(pages, [.. _items]);

    public void Step(SplitMix64 random, bool growing)
    {
        if (_items.Count == 0 || random.Below(10) < (growing ? 7 : 3)) Add(random);
        else TakeOut(random.Below(_items.Count));
    }

    public void TakeOutAll()
    {
        while (_items.Count > 0) TakeOut(_items.Count - 1);
    }

    private void Add(SplitMix64 random)
    {
        ulong number = random.NextUInt64();
        Span<byte> payload = _payload.AsSpan(0, random.Below(random.Below(50) == 0 ? _payload.Length : 150));
        payload.Fill((byte)number);
        long slot = _slab.Allocate();
        using (RecordHandle record = _slab.Pin(slot, PageIntent.Write)) record.Bytes.Fill((byte)number);
        var item = new Item(slot, _blobs.Write(payload), new TreeEntry((long)(number >> 40), slot, slot), number % 5_000);
        Assert.True(_tree.Insert(item.Due));
        _index.Add(item.Hash, slot);
        _items.Add(item);
    }

    private void TakeOut(int at)
    {
        Item item = _items[at];
        _items[at] = _items[^1];
        _items.RemoveAt(_items.Count - 1);
        bool found = false;
        foreach (long slot in _index.Find(item.Hash)) found |= slot == item.Slot;
        Assert.True(found);
        Assert.True(_slab.IsAllocated(item.Slot));
        _slab.Free(item.Slot);
        _blobs.Free(item.Blob);
        Assert.True(_tree.Remove(item.Due));
        Assert.True(_index.Remove(item.Hash, item.Slot));
    }
}
