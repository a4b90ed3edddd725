using RaftQueue.Primitives;

namespace RaftQueue.Pages;

/// <summary>
/// What an earlier process left in a file without a checkpoint: most often pages of another node's checkpoint that it did not finish
/// taking over. Nothing names them, so they are found by their hashes, and none is used where it stands, because what can be
/// read is not always durable: whoever wants one copies it. One owner.
/// </summary>
internal sealed class LeftPages
{
    private const int RunSlots = 64;
    private const int MostPages = 4 << 20; // the index takes up to 25 bytes each

    private readonly IDiskFile _file;
    private readonly long _end;
    private readonly Dictionary<ulong, uint> _slots = [];
    private readonly byte[] _buffer;
    private long _next = Superblock.Places;

    /// <param name="file">Where they stand.</param>
    /// <param name="isWanted">False: none is looked for.</param>
    public LeftPages(IDiskFile file, bool isWanted)
    {
        _file = file;
        _end = isWanted ? file.Length / PageStore.PageSize : 0;
        _buffer = new byte[_next < _end ? RunSlots * PageStore.PageSize : 0];
    }

    /// <summary>Reads the next 64 slots. True while there are more.</summary>
    public bool FindNext()
    {
        if (_next >= _end || _slots.Count >= MostPages) return false;
        int count = (int)Math.Min(RunSlots, _end - _next);
        Span<byte> blocks = _buffer.AsSpan(0, count * PageStore.PageSize);
        int read = SlotRead.TryReadAt(_file, _next * PageStore.PageSize, blocks) / PageStore.PageSize;
        for (int i = 0; i < read; i++)
        {
            ReadOnlySpan<byte> block = blocks.Slice(i * PageStore.PageSize, PageStore.PageSize);
            if (block.IndexOfAnyExcept((byte)0) >= 0) _slots.TryAdd(PageHash.OfPage(block), (uint)(_next + i));
        }

        _next += count;
        return true;
    }

    /// <summary>Copies a page with this hash. False when there is none, or not any more.</summary>
    public bool TryRead(ulong hash, Span<byte> page)
    {
        if (!_slots.Remove(hash, out uint slot)) return false;
        return SlotRead.TryReadAt(_file, (long)slot * PageStore.PageSize, page) == PageStore.PageSize && PageHash.OfPage(page) == hash;
    }
}
