namespace RaftQueue.Pages;

/// <summary>
/// Copies of pages on their way to the file before their memory is needed. Filled by the apply loop, written by the loop that writes
/// ahead, taken back by the apply loop: whoever has it in hand changes it alone.
/// </summary>
internal sealed class AheadBatch(int tag, int pages)
{
    private volatile bool _isWritten;

    /// <summary>What entries of its pages name, 1 to 7; see <see cref="PageEntries.AheadMask"/>.</summary>
    public int Tag { get; } = tag;

    /// <summary>The checkpoint that was being written when it was filled: what was left to one belongs to that one.</summary>
    public FrozenPages? Frozen { get; set; }

    /// <summary>Pages in it.</summary>
    public int Count { get; set; }

    /// <summary>The frames that were copied.</summary>
    public uint[] Frames { get; } = new uint[pages];

    /// <summary>Who owned them.</summary>
    public uint[] Owners { get; } = new uint[pages];

    /// <summary>The copies.</summary>
    public byte[] Bytes { get; } = new byte[pages * PageStore.PageSize];

    /// <summary>Where they stand, the first <see cref="Placed"/> of them.</summary>
    public TableEntry[] Places { get; } = new TableEntry[pages];

    /// <summary>How many got a slot.</summary>
    public int Placed { get; set; }

    /// <summary>What got a slot is in the file; false: no space, and what the slots hold is nothing.</summary>
    public bool IsFlushed { get; set; }

    /// <summary>The writer is through with it. Set last by the writer, read first by the apply loop.</summary>
    public bool IsWritten
    {
        get => _isWritten;
        set => _isWritten = value;
    }

    public Span<byte> Copy(int index) => Bytes.AsSpan(index * PageStore.PageSize, PageStore.PageSize);
}
