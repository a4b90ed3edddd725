using RaftQueue.Primitives;

namespace RaftQueue.Storage;

/// <summary>What <see cref="StorageCheck"/> found of one shard's log.</summary>
/// <param name="Shard">Which.</param>
/// <param name="FirstIndex">The first entry held, or the one after the last released.</param>
/// <param name="LastIndex">The last entry held, or the last released.</param>
public sealed record CheckedLog(ShardId Shard, LogIndex FirstIndex, LogIndex LastIndex);
