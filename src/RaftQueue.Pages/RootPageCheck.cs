namespace RaftQueue.Pages;

/// <summary>Whether this root page, which is whole, is that of the state that the superblock tells of. Pages knows nothing of what is in a page.</summary>
public delegate bool RootPageCheck(ReadOnlySpan<byte> page, CheckpointInfo info);
