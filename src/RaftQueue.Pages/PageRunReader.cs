namespace RaftQueue.Pages;

/// <summary>
/// Fills <paramref name="pages"/> with the verified pages from entry Index of a leaf on, the first being page Page; throws
/// <see cref="CheckpointDamagedException"/> when one is damaged.
/// </summary>
internal delegate void PageRunReader(TableNode leaf, (int Index, uint Page) at, Span<byte> pages);
