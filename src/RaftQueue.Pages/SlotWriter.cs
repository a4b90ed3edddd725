using RaftQueue.Primitives;

namespace RaftQueue.Pages;

/// <summary>
/// Puts blocks of 4 KiB into free slots of a checkpoint file, taking runs of adjacent ones, each run written with one call.
/// One owner.
/// </summary>
internal sealed class SlotWriter
{
    private readonly SlotFile _slots;
    private readonly StoreSlots? _store;
    private readonly SlotUse _use;
    private readonly byte[] _buffer;
    private uint _runStart;
    private int _runLength;
    private int _filled; // slots of the run with a block in the buffer
    private int _flushed; // of those, written

    /// <param name="slots">The file.</param>
    /// <param name="store">Whose pages are evicted; null for a checkpoint.</param>
    /// <param name="use">What for.</param>
    /// <param name="bufferBytes">The longest run.</param>
    public SlotWriter(SlotFile slots, StoreSlots? store, SlotUse use, int bufferBytes)
    {
        _slots = slots;
        _store = store;
        _use = use;
        _buffer = new byte[bufferBytes];
    }

    /// <summary>Blocks put since the beginning.</summary>
    public long BlocksPut { get; private set; }

    /// <summary>As <see cref="TryNext(int, out uint, out Span{byte})"/> when many may follow.</summary>
    public bool TryNext(out uint slot, out Span<byte> block) => TryNext(_buffer.Length / PageStore.PageSize, out slot, out block);

    /// <summary>A slot and the block to fill for it, at once. False: no space could be taken, nothing more is written.</summary>
    /// <param name="wanted">How many blocks are going to follow, this one included, as far as known.</param>
    /// <param name="slot">Where the block is going to stand.</param>
    /// <param name="block">4 KiB to fill.</param>
    public bool TryNext(int wanted, out uint slot, out Span<byte> block)
    {
        slot = 0;
        block = default;
        if (_filled == _runLength)
        {
            if (!TryFlush()) return false;
            int most = Math.Clamp(wanted, 1, _buffer.Length / PageStore.PageSize);
            _runLength = _filled = _flushed = 0;
            if (!_slots.TryTake(_store, _use, most, out _runStart, out _runLength)) return false;
        }

        slot = _runStart + (uint)_filled;
        block = _buffer.AsSpan(_filled * PageStore.PageSize, PageStore.PageSize);
        _filled++;
        BlocksPut++;
        return true;
    }

    /// <summary>The block given last is not needed; its slot is used for the next one.</summary>
    public void TakeBack()
    {
        Invariant.That(_filled > _flushed, "a block is taken back before it is written");
        _filled--;
        BlocksPut--;
    }

    /// <summary>Hands all blocks to the file. False: no space.</summary>
    public bool TryFlush()
    {
        if (_filled == _flushed) return true;
        try
        {
            int start = _flushed * PageStore.PageSize;
            _slots.Write(_runStart + (uint)_flushed, _buffer.AsSpan(start, (_filled * PageStore.PageSize) - start));
        }
        catch (DiskException full) when (full.IsDiskFull)
        {
            return false;
        }

        _flushed = _filled;
        return true;
    }

    /// <summary>Gives back the slots that were taken and not used.</summary>
    public void End()
    {
        for (int i = _filled; i < _runLength; i++) _slots.Release(_store, _runStart + (uint)i, _use);
        _runLength = _filled = _flushed = 0;
    }
}
