namespace RaftQueue.Pages;

/// <summary>
/// One thing that is wrong with a checkpoint file: in the checkpoint at log index <see cref="CheckpointIndex"/> (null: not
/// known), at <see cref="Page"/> (null: a superblock or a table node, told by <see cref="What"/>).
/// </summary>
public sealed record CheckpointDamage(long? CheckpointIndex, PageNumber? Page, string What)
{
    public override string ToString() =>
        (CheckpointIndex is { } index ? $"checkpoint at index {index}: " : "")
        + (Page is { } page ? $"page {page}: " : "")
        + What;
}
