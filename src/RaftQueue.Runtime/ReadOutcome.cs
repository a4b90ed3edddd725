using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>
/// What a read found. Not <see cref="Decided"/>: no leader confirmed it in time, or this node <see cref="IsBehind"/>. <see cref="Index"/> is the applied
/// index at which it was read.
/// </summary>
public readonly record struct ReadOutcome(
    bool Decided,
    bool Found,
    ShardId Shard,
    LogIndex Index,
    ReadOnlyMemory<byte> Result)
{
    /// <summary>A leader confirmed the read, and what it had then was not applied here in time.</summary>
    public bool IsBehind { get; private init; }

    /// <summary>This node has not got back yet the state that it held, and has no older one either.</summary>
    public bool LacksState { get; private init; }

    public static ReadOutcome Undecided(ShardId shard) => new(false, false, shard, default, default);

    public static ReadOutcome Behind(ShardId shard) => Undecided(shard) with { IsBehind = true };

    public static ReadOutcome WithoutState(ShardId shard) => Behind(shard) with { LacksState = true };
}
