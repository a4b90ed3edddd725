namespace RaftQueue.Pages;

/// <summary>What a store did since it was opened, and what it holds; numbers only rise unless said otherwise.</summary>
/// <param name="AllocatedPages">Pages in use; rises and falls.</param>
/// <param name="ResidentPages">Pages in memory, with the copies kept for a checkpoint being written; rises and falls.</param>
/// <param name="DirtyPages">Pages changed since the last freeze; rises and falls.</param>
/// <param name="ColdReads">Pages read from the file.</param>
/// <param name="Prefetches">How often the disk was told that a page that is not in memory is going to be read.</param>
/// <param name="Evictions">Pages that left memory.</param>
/// <param name="EvictionWrites">Pages written to the file so that they could leave.</param>
/// <param name="EvictionWaits">How often whoever needed a page wrote others himself, because too few had been written ahead.</param>
/// <param name="LongestEvictionMicroseconds">The longest time for which whoever needed a page waited for others to leave.</param>
public readonly record struct PageCounters(
    long AllocatedPages, long ResidentPages, long DirtyPages, long ColdReads, long Prefetches, long Evictions, long EvictionWrites,
    long EvictionWaits, long LongestEvictionMicroseconds);
