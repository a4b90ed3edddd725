using RaftQueue.Primitives;

namespace RaftQueue.Pages;

/// <summary>
/// Puts blocks of 4 KiB into slots that no kept or read checkpoint uses, lowest first, growing the file when there are no
/// more; adjacent slots are written with one call. One owner.
/// </summary>
internal sealed class SlotWriter
{
    private readonly IDiskFile _file;
    private readonly CheckpointOptions _options;
    private readonly SlotMap _busy;
    private readonly byte[] _buffer;
    private uint _cursor = Superblock.Places;
    private uint _slotCount;
    private uint _firstSlot;
    private int _buffered;

    /// <param name="busy">Slots that must not be written; owned by this from now on.</param>
    public SlotWriter(IDiskFile file, CheckpointOptions options, SlotMap busy)
    {
        _file = file;
        _options = options;
        _busy = busy;
        _buffer = new byte[options.SliceBytes];
        _slotCount = (uint)(file.Length / PageStore.PageSize);
    }

    /// <summary>Blocks taken with <see cref="TryNext"/> since the beginning.</summary>
    public long BlocksPut { get; private set; }

    /// <summary>Bytes written to the file since the last <see cref="Sync"/>.</summary>
    public long UnsyncedBytes { get; private set; }

    /// <summary>Every slot put so far is below this.</summary>
    public uint HighestSlotEnd { get; private set; } = Superblock.Places;

    /// <summary>A slot and the block to fill for it, at once. False: no space could be taken, nothing more is written.</summary>
    public bool TryNext(out uint slot, out Span<byte> block)
    {
        block = default;
        slot = _busy.NextAbsent(_cursor);
        if (slot >= _slotCount && !TryGrow()) return false;
        bool continues = _buffered > 0 && slot == _firstSlot + (uint)(_buffered / PageStore.PageSize);
        if ((_buffered == _buffer.Length || !continues) && !TryFlush()) return false;
        if (_buffered == 0) _firstSlot = slot;
        _busy.Add(slot);
        _cursor = slot + 1;
        HighestSlotEnd = Math.Max(HighestSlotEnd, slot + 1);
        block = _buffer.AsSpan(_buffered, PageStore.PageSize);
        _buffered += PageStore.PageSize;
        BlocksPut++;
        return true;
    }

    /// <summary>Hands all blocks to the file. False: no space.</summary>
    public bool TryFlush()
    {
        if (_buffered == 0) return true;
        try
        {
            _file.WriteAt((long)_firstSlot * PageStore.PageSize, _buffer.AsSpan(0, _buffered));
        }
        catch (DiskException full) when (full.IsDiskFull)
        {
            return false;
        }

        UnsyncedBytes += _buffered;
        _buffered = 0;
        return true;
    }

    /// <summary>All that was flushed is durable. A failure is final for the process.</summary>
    public void Sync()
    {
        if (UnsyncedBytes == 0) return;
        _file.DataSync();
        UnsyncedBytes = 0;
    }

    private bool TryGrow()
    {
        if (!CheckpointFile.TryGrow(_file, _options)) return false;
        _slotCount = (uint)(_file.Length / PageStore.PageSize);
        return true;
    }
}
