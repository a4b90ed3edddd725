namespace RaftQueue.Client;

/// <summary>The cluster as one node sees it.</summary>
public sealed record ClusterInfo
{
    public required string ClusterId { get; init; }

    /// <summary>The node that answered.</summary>
    public int NodeId { get; init; }

    public string? Version { get; init; }

    public IReadOnlyList<ShardInfo> Shards { get; init; } = [];
}
