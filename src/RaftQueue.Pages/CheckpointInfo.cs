using RaftQueue.Primitives;

namespace RaftQueue.Pages;

/// <summary>What a checkpoint is a checkpoint of: the state after applying the entry at <see cref="Index"/>.</summary>
public sealed record CheckpointInfo
{
    /// <summary>The longest <see cref="Membership"/> that fits, in bytes.</summary>
    public const int MaxMembershipBytes = 3840;

    public ShardId Shard { get; init; }

    /// <summary>The last applied entry.</summary>
    public LogIndex Index { get; init; }

    /// <summary>The term of that entry.</summary>
    public Term Term { get; init; }

    /// <summary>The stamp of that entry, Unix milliseconds.</summary>
    public long TimestampMs { get; init; }

    /// <summary>The running hash over entries and results at <see cref="Index"/>.</summary>
    public ulong StateHash { get; init; }

    /// <summary>The membership in force at <see cref="Index"/>, opaque here; not changed after creation.</summary>
    public byte[] Membership { get; init; } = [];

    public bool Equals(CheckpointInfo? other) =>
        other is not null
        && Shard == other.Shard
        && Index == other.Index
        && Term == other.Term
        && TimestampMs == other.TimestampMs
        && StateHash == other.StateHash
        && Membership.AsSpan().SequenceEqual(other.Membership);

    public override int GetHashCode() => unchecked((int)SplitMix64.Mix((ulong)Index.Value ^ StateHash));
}
