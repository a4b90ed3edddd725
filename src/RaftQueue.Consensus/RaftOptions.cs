using RaftQueue.Primitives;

namespace RaftQueue.Consensus;

/// <summary>A node's fixed settings. Times in milliseconds of the monotonic clock.</summary>
public sealed record RaftOptions
{
    public required NodeId Self { get; init; }

    public required Incarnation SelfIncarnation { get; init; }

    public required ShardId Shard { get; init; }

    /// <summary>A follower that hears nothing for one to two of these campaigns; also the length of leader stickiness.</summary>
    public int ElectionTimeoutMs { get; init; } = 300;

    public int HeartbeatMs { get; init; } = 50;

    /// <summary>
    /// How long a leader may keep to itself that something is committed for which nobody waits elsewhere: the entries that come next
    /// tell it by the way.
    /// </summary>
    public int CommitNoticeMs { get; init; } = 2;

    /// <summary>Bytes of entries sent to a follower and not yet acknowledged.</summary>
    public long MaxInflightBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>Append messages sent to a follower and not yet acknowledged.</summary>
    public int MaxInflightMessages { get; init; } = 256;

    /// <summary>Bytes of entries in one Append, unless a single entry is larger.</summary>
    public long MaxAppendBytes { get; init; } = 1024 * 1024;

    /// <summary>Bytes that a leader holds uncommitted or not yet durable; beyond, proposals are refused as full.</summary>
    public long MaxUncommittedBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Read requests waiting for a round; beyond, they are refused at once.</summary>
    public int MaxPendingReads { get; init; } = 65_536;

    internal void Check()
    {
        Invariant.That(Self.Value > 0 && !SelfIncarnation.IsNone, "a node knows who it is");
        Invariant.That(CommitNoticeMs >= 0 && CommitNoticeMs < HeartbeatMs, "a heartbeat tells what is committed anyway");
        Invariant.That(HeartbeatMs > 0 && ElectionTimeoutMs >= 2 * HeartbeatMs, "several heartbeats fit in an election timeout");
        Invariant.That(MaxInflightBytes > 0 && MaxInflightMessages > 0 && MaxAppendBytes > 0, "the window is not empty");
        Invariant.That(MaxUncommittedBytes > 0 && MaxPendingReads > 0, "limits are positive");
    }
}
