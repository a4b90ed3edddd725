using System.Text.Json.Serialization;

namespace RaftQueue.Client;

/// <summary>Hands a job back as if it had not been leased: the attempt is taken back.</summary>
public sealed record Release(string Token)
{
    [JsonPropertyName("delayMs")]
    public TimeSpan? Delay { get; init; }
}
