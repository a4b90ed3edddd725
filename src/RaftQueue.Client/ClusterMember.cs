using System.Text.Json.Serialization;

namespace RaftQueue.Client;

/// <summary>A member of a shard as the node asked sees it.</summary>
public sealed record ClusterMember
{
    public int Id { get; init; }

    public string? Http { get; init; }

    /// <summary><c>voter</c> or <c>learner</c>.</summary>
    public string? Role { get; init; }

    public long? MatchIndex { get; init; }

    [JsonPropertyName("lagMs")]
    public TimeSpan? Lag { get; init; }

    public bool Reachable { get; init; }
}
