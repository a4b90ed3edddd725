using System.Text.Json.Serialization;

namespace RaftQueue.Client;

/// <summary>A queue with its settings and counts.</summary>
public sealed record QueueInfo
{
    public required string Name { get; init; }

    public bool Paused { get; init; }

    /// <summary>The queue's settings as the server tells them.</summary>
    public JsonText? Settings { get; init; }

    public JobCounts Counts { get; init; } = new();

    /// <summary>How long the oldest ready job has waited; absent when none is ready.</summary>
    [JsonPropertyName("oldestReadyAgeMs")]
    public TimeSpan? OldestReadyAge { get; init; }

    public long EnqueuedTotal { get; init; }

    public long SucceededTotal { get; init; }

    public long FailedTotal { get; init; }
}
