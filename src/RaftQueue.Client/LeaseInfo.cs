using System.Text.Json.Serialization;

namespace RaftQueue.Client;

/// <summary>The lease of a job. Its token is only in the answer to the request that leased it.</summary>
public sealed record LeaseInfo
{
    /// <summary>What finishes, extends or hands back the job.</summary>
    public string? Token { get; init; }

    /// <summary>Grows with every lease: a downstream system that has seen a higher one must refuse this one.</summary>
    public long Fence { get; init; }

    public string? Worker { get; init; }

    public DateTimeOffset ExpiresAt { get; init; }

    /// <summary>What was left of the lease when the server answered; safe to count from when the request was sent.</summary>
    [JsonPropertyName("remainingMs")]
    public TimeSpan? Remaining { get; init; }
}
