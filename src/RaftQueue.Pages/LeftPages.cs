using RaftQueue.Primitives;

namespace RaftQueue.Pages;

/// <summary>
/// What a transfer that ended before its time left in the file: pages of another node's checkpoint, among whatever else stood in free
/// slots. Nothing names them, so they are found by their hashes. What can be read is not always durable, because the last fsync may have
/// failed: whoever takes one has it written once more, the same bytes in the same place, so that a crash at any moment harms
/// nothing. One owner.
/// </summary>
internal sealed class LeftPages
{
    private const int RunSlots = 64;
    private const int MostPages = 4 << 20; // the index takes up to 25 bytes each

    private readonly IDiskFile _file;
    private readonly SlotFile _slots;
    private readonly SlotMap _held;
    private readonly byte[] _buffer;
    private readonly byte[] _again;
    private Dictionary<ulong, uint> _found = [];
    private uint _next = Superblock.Places;
    private uint _runStart;
    private int _runLength; // pages in the buffer that are to be written again

    /// <param name="file">Where they stand.</param>
    /// <param name="slots">Which slots are held for them.</param>
    public LeftPages(IDiskFile file, SlotFile slots)
    {
        _file = file;
        _slots = slots;
        _held = slots.LeftSlots();
        int bytes = _held.End == 0 ? 0 : RunSlots * PageStore.PageSize;
        _buffer = new byte[bytes];
        _again = new byte[bytes];
    }

    /// <summary>There was no space to write one again; nothing more is taken.</summary>
    public bool IsFull { get; private set; }

    /// <summary>Reads the next 64 slots of the file in which something may stand. True while there are more.</summary>
    public bool FindNext()
    {
        _next = _held.NextPresent(_next);
        if (_next >= _held.End || _found.Count >= MostPages) return false;
        int count = (int)Math.Min(RunSlots, _held.End - _next);
        Span<byte> blocks = _buffer.AsSpan(0, count * PageStore.PageSize);
        int read = SlotRead.TryReadAt(_file, (long)_next * PageStore.PageSize, blocks) / PageStore.PageSize;
        for (int i = 0; i < read; i++)
        {
            ReadOnlySpan<byte> block = blocks.Slice(i * PageStore.PageSize, PageStore.PageSize);
            uint slot = _next + (uint)i;
            if (_held.Contains(slot) && block.IndexOfAnyExcept((byte)0) >= 0) _found.TryAdd(PageHash.OfPage(block), slot);
        }

        _next += (uint)count;
        return true;
    }

    /// <summary>Of all that was found only what has one of these hashes is of use: the other slots are free.</summary>
    public void KeepOnly(IEnumerable<ulong> hashes)
    {
        var wanted = new Dictionary<ulong, uint>();
        var slots = new SlotMap();
        foreach (ulong hash in hashes)
        {
            if (!_found.TryGetValue(hash, out uint slot) || !wanted.TryAdd(hash, slot)) continue;
            slots.Add(slot);
        }

        _found = wanted;
        _slots.KeepLeft(slots);
    }

    /// <summary>Takes a page with this hash. False when there is none, or not any more.</summary>
    public bool TryTake(ulong hash, out TableEntry place)
    {
        place = default;
        if (IsFull || !_found.Remove(hash, out uint slot) || !_slots.TryUseLeft(slot)) return false;
        Span<byte> page = _buffer.AsSpan(0, PageStore.PageSize);
        bool isIt = SlotRead.TryReadAt(_file, (long)slot * PageStore.PageSize, page) == page.Length && PageHash.OfPage(page) == hash;
        if (isIt && TryWriteAgain(slot, page))
        {
            place = new TableEntry(slot, Crc32C.Compute(page), hash);
            return true;
        }

        _slots.Release(null, slot, SlotUse.Checkpoint);
        return false;
    }

    /// <summary>What was taken is in the file. False: no space.</summary>
    public bool TryFlush()
    {
        if (_runLength == 0) return !IsFull;
        try
        {
            _slots.Write(_runStart, _again.AsSpan(0, _runLength * PageStore.PageSize));
        }
        catch (DiskException full) when (full.IsDiskFull)
        {
            IsFull = true;
            return false;
        }

        _runLength = 0;
        return true;
    }

    private bool TryWriteAgain(uint slot, ReadOnlySpan<byte> page)
    {
        bool goesOn = _runLength < RunSlots && slot == _runStart + (uint)_runLength;
        if (!goesOn && !TryFlush()) return false;
        if (_runLength == 0) _runStart = slot;
        page.CopyTo(_again.AsSpan(_runLength * PageStore.PageSize));
        _runLength++;
        return true;
    }
}
