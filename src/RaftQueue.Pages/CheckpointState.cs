namespace RaftQueue.Pages;

/// <summary>One whole checkpoint in a file: its superblock and where that stands, its table, and the slots it uses.</summary>
internal sealed record CheckpointState(Superblock Superblock, int Place, TableNode Root, SlotMap Map);
