using RaftQueue.Primitives;

namespace RaftQueue.Storage;

/// <summary>Who a data directory belongs to.</summary>
public sealed record NodeIdentity
{
    public required string ClusterId { get; init; }

    public required NodeId NodeId { get; init; }

    /// <summary>Drawn when the directory is made; <see cref="Primitives.Incarnation.None"/> in what a caller configures.</summary>
    public Incarnation Incarnation { get; init; }

    /// <summary>Fixed at the first start.</summary>
    public required int Shards { get; init; }

    /// <summary>"quorum-fsync" or "quorum-memory"; may change from start to start.</summary>
    public required string Durability { get; init; }

    /// <summary>1 at the first start, then one more at each: the high bits of the numbers that must not repeat.</summary>
    public long BootCounter { get; init; }
}
