using System.Text.Json.Serialization;

namespace RaftQueue.Client;

/// <summary>An attempt failed.</summary>
public sealed record Nack(string Token, string? Error = null)
{
    /// <summary>When to try again, exactly; absent means the job's back-off.</summary>
    [JsonPropertyName("delayMs")]
    public TimeSpan? Delay { get; init; }

    /// <summary>Ends the job as dead, whatever attempts are left.</summary>
    public bool? Dead { get; init; }
}
