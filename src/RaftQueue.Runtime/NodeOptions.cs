using RaftQueue.Jobs;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>The settings of one node, checked by whoever read them.</summary>
public sealed record NodeOptions
{
    public required string ClusterId { get; init; }

    public required NodeId NodeId { get; init; }

    public required string DataDirectory { get; init; }

    /// <summary>Where peers connect, for example "127.0.0.1:9090".</summary>
    public required string PeerListen { get; init; }

    /// <summary>The URL under which users reach this node, as told to the other nodes.</summary>
    public required string HttpAdvertised { get; init; }

    /// <summary>The members of a new cluster; once the log holds a membership only that counts.</summary>
    public required IReadOnlyList<MemberOptions> Members { get; init; }

    public int Shards { get; init; } = 1;

    public int HeartbeatMs { get; init; } = 50;

    public int ElectionTimeoutMs { get; init; } = 300;

    public Durability Durability { get; init; } = Durability.QuorumFsync;

    /// <summary>Memory for the pages of job state, shared equally by the shards; what is beyond is on disk.</summary>
    public int MemoryBudgetMiB { get; init; } = 1024;

    /// <summary>Instead of a share of <see cref="MemoryBudgetMiB"/>: so many pages of each shard, for tests that want it small.</summary>
    public int? ResidentPagesPerShard { get; init; }

    /// <summary>Limits and defaults that apply needs; the leader writes its own to the log when they differ.</summary>
    public ReplicatedSettings Settings { get; init; } = new();

    /// <summary>Requests of this node's users under way at once; more are refused as overloaded.</summary>
    public int MaxPendingRequests { get; init; } = 16_384;

    /// <summary>Bytes of command bodies under way at once; more are refused as overloaded.</summary>
    public long MaxPendingBytes { get; init; } = 64L * 1024 * 1024;

    /// <summary>Lease requests that wait for jobs of one shard on its leader, of all nodes; more are refused as overloaded.</summary>
    public int MaxLeaseWaiters { get; init; } = 65_536;

    /// <summary>Reads of this node's users under way at once; more are left undecided at once.</summary>
    public int MaxOpenReads { get; init; } = 131_072;

    /// <summary>How long a request waits for a leader before it is refused.</summary>
    public int LeaderWaitMs { get; init; } = 3_000;

    /// <summary>How long a request that was sent may stay undecided before its outcome is called unknown.</summary>
    public int RequestTimeoutMs { get; init; } = 10_000;

    /// <summary>A checkpoint is named when the log has grown by this much since the last one.</summary>
    public int CheckpointLogMiB { get; init; } = 64;

    public long WalSegmentBytes { get; init; } = 64L * 1024 * 1024;
}
