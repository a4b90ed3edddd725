namespace RaftQueue.Pages;

/// <summary>
/// What one store uses of a checkpoint file beside the checkpoints that are kept. Changed by <see cref="SlotFile"/> under its lock.
/// </summary>
internal sealed class StoreSlots
{
    private long _livePages;

    /// <summary>Pages evicted since the last freeze.</summary>
    public SlotMap Evicted { get; set; } = new();

    /// <summary>Copies of pages that are being written ahead.</summary>
    public SlotMap Ahead { get; } = new();

    /// <summary>Pages of the frozen state that stand in the file already.</summary>
    public SlotMap Frozen { get; set; } = new();

    /// <summary>Pages in the state, as of its last freeze or eviction. Written by its owner, read by any.</summary>
    public long LivePages
    {
        get => Volatile.Read(ref _livePages);
        set => Volatile.Write(ref _livePages, value);
    }

    /// <summary>Checkpoints that the file does not keep any more and the store still reads.</summary>
    public List<SlotMap> Held { get; } = [];
}
