using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>What checkpoints of a shard cost on this node since it was started.</summary>
/// <param name="Index">The log index of the newest one that it wrote itself; zero before the first.</param>
/// <param name="Microseconds">How long writing that one took, from the first page to the superblock.</param>
/// <param name="Bytes">What was written for it: pages and table.</param>
/// <param name="FileBytes">Bytes of the file after it.</param>
/// <param name="LongestPauseMicroseconds">
/// The longest time for which any checkpoint held up applying: for the freeze, or for a step of what is left to do when it is over.
/// </param>
/// <param name="FetchedBytes">Bytes of pages and table that were fetched from peers and are not under way any more.</param>
/// <param name="MendedPages">Pages that were found damaged, came from peers again, and are whole.</param>
public sealed record CheckpointStatus(
    LogIndex Index, long Microseconds, long Bytes, long FileBytes, long LongestPauseMicroseconds, long FetchedBytes, long MendedPages);
