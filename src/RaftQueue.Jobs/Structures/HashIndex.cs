using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs.Structures;

/// <summary>
/// From 64-bit hashes to 48-bit values, any number of values a hash: linear hashing with partial expansions (Larson 1980) over
/// buckets of a page, rarely more. An addition rewrites at most one group of buckets (2 to 4, see <see cref="HashShape"/>) and a
/// removal too, so that growing never stops the caller. 11 to 16 bytes an entry, 14 on average.
/// </summary>
/// <remarks>
/// Entries keep 32 bits of the hash, spread once more, so a search may yield values of other hashes (about one in 150 searches
/// at 20 million entries): the caller compares what the values stand for. Values of equal hashes stand in one bucket, whose
/// length searches and expansions cost; hash what users choose under a key
/// (<see cref="StableHash.Hash64(ReadOnlySpan{byte}, ulong, ulong)"/>).
/// At most one instance at a time may be used on a header. Not thread-safe.
/// </remarks>
public sealed class HashIndex
{
    /// <summary>Bytes at the header's place; all zero is an empty index.</summary>
    public const int HeaderSize = 20;

    /// <summary>The largest value.</summary>
    public const long MaxValue = (1L << 48) - 1;

    private const int CountField = 0;
    private const int BucketsField = 8; // the page array of the buckets' newest pages, 0 for an empty bucket

    private readonly PageStore _pages;
    private readonly PageNumber _headerPage;
    private readonly int _headerOffset;
    private readonly PagedArray _buckets;

    /// <summary>Opens the index whose header is at the given place.</summary>
    public HashIndex(PageStore pages, PageNumber headerPage, int headerOffset)
    {
        Invariant.That(headerOffset >= 0 && headerOffset <= PageStore.PageSize - HeaderSize, "a header fits its page");
        _pages = pages;
        _headerPage = headerPage;
        _headerOffset = headerOffset;
        _buckets = new PagedArray(pages, headerPage, headerOffset + BucketsField);
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

    /// <summary>Writes the header of an empty index; pages of an earlier one at this place are not given back.</summary>
    public void Initialize()
    {
        using PageHandle handle = _pages.Pin(_headerPage, PageIntent.Write);
        handle.Write.Slice(_headerOffset, HeaderSize).Clear();
    }

    /// <summary>Adds an entry. The same one may be there several times.</summary>
    public void Add(ulong hash, long value)
    {
        Invariant.That((ulong)value <= MaxValue, "an index's value has 48 bits");
        uint stored = Stored(hash);
        HashShape shape = new(_buckets.Length);
        if (shape.Buckets == 0) shape = new HashShape(_buckets.Push(0) + 1);
        AddTo(shape.BucketOf(stored), stored, value);
        if (AddToCount(1) > shape.ExpandAbove) Expand(shape);
    }

    /// <summary>Takes one such entry out. False when there is none.</summary>
    public bool Remove(ulong hash, long value)
    {
        Invariant.That((ulong)value <= MaxValue, "an index's value has 48 bits");
        HashShape shape = new(_buckets.Length);
        if (shape.Buckets == 0) return false;
        uint stored = Stored(hash);
        uint bucket = shape.BucketOf(stored);
        uint head = _buckets.Get(bucket);
        uint page = head;
        int index = -1;
        while (page != 0)
        {
            using PageHandle handle = _pages.Pin(new PageNumber(page), PageIntent.Read);
            BucketPage at = new(handle.Bytes);
            index = at.IndexOf(stored, value);
            if (index >= 0) break;
            page = at.Next;
        }

        if (page == 0) return false;
        TakeOut(bucket, head, page, index);
        long count = AddToCount(-1);
        if (count == 0) _buckets.Clear();
        else if (count < shape.ContractBelow) Contract(shape);
        return true;
    }

    /// <summary>
    /// The values that may belong to the hash, for a <c>foreach</c>, in an order that only the history decides. The index must
    /// not change until the enumeration is over.
    /// </summary>
    public Enumerator Find(ulong hash)
    {
        uint stored = Stored(hash);
        HashShape shape = new(_buckets.Length);
        return new Enumerator(_pages, shape.Buckets == 0 ? 0 : _buckets.Get(shape.BucketOf(stored)), stored);
    }

    /// <summary>Walks the pages of one bucket; holds no pin between steps.</summary>
    public struct Enumerator
    {
        private readonly PageStore _pages;
        private readonly uint _stored;
        private uint _page;
        private int _from;

        internal Enumerator(PageStore pages, uint page, uint stored)
        {
            _pages = pages;
            _page = page;
            _stored = stored;
        }

        /// <summary>A value; its key has to be compared.</summary>
        public long Current { get; private set; }

        public readonly Enumerator GetEnumerator() => this;

        public bool MoveNext()
        {
            while (_page != 0)
            {
                using PageHandle handle = _pages.Pin(new PageNumber(_page), PageIntent.Read);
                BucketPage page = new(handle.Bytes);
                int index = page.IndexOf(_stored, _from);
                if (index >= 0)
                {
                    Current = page.Value(index);
                    _from = index + 1;
                    return true;
                }

                _page = page.Next;
                _from = 0;
            }

            return false;
        }
    }

    // Mixed, so that hashes that are only counters or multiples of a power of two spread too.
    private static uint Stored(ulong hash) => (uint)(SplitMix64.Mix(hash) >> 32);

    private long AddToCount(int entries)
    {
        using PageHandle handle = _pages.Pin(_headerPage, PageIntent.Write);
        Span<byte> header = handle.Write.Slice(_headerOffset, HeaderSize);
        long count = header.GetInt64(CountField) + entries;
        header.SetInt64(CountField, count);
        return count;
    }

    /// <summary>Adds to the bucket's newest page, the only one that may have room.</summary>
    private void AddTo(uint bucket, uint stored, long value)
    {
        uint head = _buckets.Get(bucket);
        if (head != 0)
        {
            using PageHandle handle = _pages.Pin(new PageNumber(head), PageIntent.Write);
            BucketPage page = new(handle.Write);
            if (page.Count < BucketPage.Capacity)
            {
                page.Add(stored, value);
                return;
            }
        }

        PageNumber fresh = _pages.Allocate();
        using (PageHandle handle = _pages.Pin(fresh, PageIntent.Write))
        {
            BucketPage page = new(handle.Write);
            page.SetNext(head);
            page.Add(stored, value);
        }

        _buckets.Set(bucket, fresh.Value);
    }

    /// <summary>Fills an entry's place with the newest page's last entry.</summary>
    private void TakeOut(uint bucket, uint head, uint page, int index)
    {
        uint next;
        using (PageHandle handle = _pages.Pin(new PageNumber(head), PageIntent.Write))
        {
            BucketPage newest = new(handle.Write);
            int last = newest.Count - 1;
            if (page == head)
            {
                newest.Set(index, newest.Hash(last), newest.Value(last));
            }
            else
            {
                using PageHandle other = _pages.Pin(new PageNumber(page), PageIntent.Write);
                new BucketPage(other.Write).Set(index, newest.Hash(last), newest.Value(last));
            }

            newest.RemoveLast();
            if (last > 0) return;
            next = newest.Next;
        }

        _pages.Free(new PageNumber(head));
        _buckets.Set(bucket, next);
    }

    /// <summary>Adds a bucket to the next group and deals the group's entries out anew.</summary>
    private void Expand(HashShape shape)
    {
        Span<uint> chains = stackalloc uint[HashShape.MaxGroup];
        TakeGroup(shape, shape.GroupSize, chains);
        _buckets.Push(0);
        DealOut(chains[..shape.GroupSize], new HashShape(shape.Buckets + 1));
    }

    /// <summary>Takes the last bucket away from its group and deals the group's entries out anew.</summary>
    private void Contract(HashShape shape)
    {
        Span<uint> chains = stackalloc uint[HashShape.MaxGroup];
        HashShape smaller = new(shape.Buckets - 1);
        int size = smaller.GroupSize + 1;
        TakeGroup(smaller, size, chains);
        _buckets.Pop();
        DealOut(chains[..size], smaller);
    }

    private void TakeGroup(HashShape shape, int size, Span<uint> chains)
    {
        for (int column = 0; column < size; column++)
        {
            uint bucket = shape.BucketIn(shape.Expanded, column);
            chains[column] = _buckets.Get(bucket);
            _buckets.Set(bucket, 0);
        }
    }

    /// <summary>Adds every entry of the chains again, freeing their pages.</summary>
    private void DealOut(ReadOnlySpan<uint> chains, HashShape shape)
    {
        Span<byte> copy = stackalloc byte[PageStore.PageSize];
        foreach (uint chain in chains)
        {
            uint page = chain;
            while (page != 0)
            {
                using (PageHandle handle = _pages.Pin(new PageNumber(page), PageIntent.Read)) handle.Read.CopyTo(copy);
                _pages.Free(new PageNumber(page));
                BucketPage old = new(copy);
                int count = old.Count;
                for (int i = 0; i < count; i++)
                {
                    uint stored = old.Hash(i);
                    AddTo(shape.BucketOf(stored), stored, old.Value(i));
                }

                page = old.Next;
            }
        }
    }
}
