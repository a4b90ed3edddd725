using RaftQueue.Server.Contracts;

namespace RaftQueue.Server.Hosting;

/// <summary>One node's settings, validated.</summary>
public sealed record ServerOptions
{
    public required string ClusterId { get; init; }

    public required int NodeId { get; init; }

    public required string DataDirectory { get; init; }

    /// <summary>Where HTTP is listened for; any address for <c>*</c>.</summary>
    public required HttpAddress Http { get; init; }

    /// <summary>Where peers are listened for, <c>host:port</c>.</summary>
    public required string Peer { get; init; }

    public bool AllowAnonymous { get; init; }

    /// <summary>Counts only for the first start of a new data directory.</summary>
    public required IReadOnlyList<MemberSetting> Members { get; init; }

    public int Shards { get; init; } = 1;

    public int HeartbeatMs { get; init; } = 50;

    public int ElectionTimeoutMs { get; init; } = 300;

    /// <summary>A reply means received by a majority, not yet on its disks.</summary>
    public bool QuorumMemory { get; init; }

    /// <summary>Memory for pages of the state; the others are on disk.</summary>
    public int MemoryBudgetMiB { get; init; } = 1024;

    /// <summary>How large the state of one shard may become, in memory and on disk, before new work is refused.</summary>
    public int MaxStateMiB { get; init; } = 32_768;

    /// <summary>How long a request waits for a leader before 503.</summary>
    public int LeaderWaitMs { get; init; } = 3000;

    /// <summary>When an undecided write is answered 504.</summary>
    public int RequestTimeoutMs { get; init; } = 10_000;

    public int MaxPendingRequests { get; init; } = 16_384;

    public int MaxPendingMiB { get; init; } = 64;

    /// <summary>How long a stop waits for what is under way.</summary>
    public int DrainMs { get; init; } = 5000;

    public HttpLimits HttpLimits { get; init; } = new();

    public RequestLimits Limits { get; init; } = new();

    public ReplicatedLimits Replicated { get; init; } = new();
}
