using System.Text.Json.Serialization;

namespace RaftQueue.Client;

/// <summary>A job as the server tells it.</summary>
public sealed record Job
{
    public required string Id { get; init; }

    public required string Queue { get; init; }

    public string? Type { get; init; }

    public JobState State { get; init; }

    /// <summary>Why the job is in its state, where that is not obvious (<c>expired</c>).</summary>
    public string? Reason { get; init; }

    public int Priority { get; init; }

    /// <summary>The number of the current or last attempt; 0 before the first lease.</summary>
    public int Attempt { get; init; }

    public int MaxAttempts { get; init; }

    /// <summary>How often the job was rescheduled after a success.</summary>
    public long Runs { get; init; }

    /// <summary>Grows with every change of the job.</summary>
    public long Version { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? RunAt { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? FinishedAt { get; init; }

    public string? Group { get; init; }

    public string? UniqueKey { get; init; }

    public IReadOnlyList<string> Tags { get; init; } = [];

    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The JSON payload, byte for byte as it was enqueued; absent when it is <c>null</c>, bytes, or was not asked for.</summary>
    public JsonText? Payload { get; init; }

    /// <summary>The payload when it was enqueued as bytes.</summary>
    [JsonPropertyName("payloadBase64")]
    public byte[]? PayloadBytes { get; init; }

    public string? ContentType { get; init; }

    public JsonText? Result { get; init; }

    public JsonText? Progress { get; init; }

    public string? Error { get; init; }

    public bool CancelRequested { get; init; }

    /// <summary>The last attempts, at most ten.</summary>
    public IReadOnlyList<Attempt> Attempts { get; init; } = [];

    public LeaseInfo? Lease { get; init; }

    public string? Schedule { get; init; }

    public DateTimeOffset? ScheduledFor { get; init; }

    /// <summary>Whether the job has reached an end: succeeded, dead or cancelled.</summary>
    [JsonIgnore]
    public bool IsFinished => State is JobState.Succeeded or JobState.Dead or JobState.Cancelled;
}
