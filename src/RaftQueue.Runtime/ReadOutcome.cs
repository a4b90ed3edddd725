using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>
/// What a read found. Not <see cref="Decided"/>: no leader confirmed it in time. <see cref="Index"/> is the applied
/// index at which it was read.
/// </summary>
public readonly record struct ReadOutcome(
    bool Decided,
    bool Found,
    ShardId Shard,
    LogIndex Index,
    ReadOnlyMemory<byte> Result)
{
    public static ReadOutcome Undecided(ShardId shard) => new(false, false, shard, default, default);
}
