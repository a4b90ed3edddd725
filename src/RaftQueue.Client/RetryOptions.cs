using System.Text.Json.Serialization;

namespace RaftQueue.Client;

/// <summary>The delay before a failed job runs again. Absent values take the server's defaults.</summary>
public sealed record RetryOptions
{
    public Backoff? Backoff { get; init; }

    /// <summary>The first delay.</summary>
    [JsonPropertyName("baseMs")]
    public TimeSpan? Base { get; init; }

    /// <summary>The longest delay, before jitter.</summary>
    [JsonPropertyName("maxMs")]
    public TimeSpan? Max { get; init; }

    /// <summary>The share of the delay that is added at most: 0.2 is up to a fifth longer.</summary>
    public double? Jitter { get; init; }
}
