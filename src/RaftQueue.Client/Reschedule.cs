using System.Text.Json.Serialization;

namespace RaftQueue.Client;

/// <summary>This run succeeded and the same job runs again later. Either <see cref="Delay"/> or <see cref="RunAt"/>.</summary>
public sealed record Reschedule(string Token)
{
    [JsonPropertyName("delayMs")]
    public TimeSpan? Delay { get; init; }

    public DateTimeOffset? RunAt { get; init; }

    public JsonText? Payload { get; init; }

    public int? Priority { get; init; }
}
