namespace RaftQueue.Pages;

/// <summary>One whole checkpoint in a file: its superblock and where that stands, and the slots it uses.</summary>
internal sealed record CheckpointState(Superblock Superblock, int Place, SlotMap Map)
{
    /// <summary>How many: pages and table.</summary>
    public long Slots { get; } = Map.Count();
}
