using System.Text.Json.Serialization;

namespace RaftQueue.Client;

/// <summary>A job to enqueue. What is absent takes the queue's defaults, then the server's.</summary>
public sealed record NewJob
{
    /// <summary>The JSON payload; absent means <c>null</c>. Excludes <see cref="PayloadBytes"/>.</summary>
    public JsonText? Payload { get; init; }

    /// <summary>A payload of bytes, with <see cref="ContentType"/>. Excludes <see cref="Payload"/>.</summary>
    [JsonPropertyName("payloadBase64")]
    public byte[]? PayloadBytes { get; init; }

    /// <summary>What <see cref="PayloadBytes"/> are.</summary>
    public string? ContentType { get; init; }

    /// <summary>What kind of job it is, at most 128 characters.</summary>
    public string? Type { get; init; }

    /// <summary>0 to 9, higher first.</summary>
    public int? Priority { get; init; }

    /// <summary>How long from the request's arrival until the job is due. Excludes <see cref="RunAt"/>.</summary>
    [JsonPropertyName("delayMs")]
    public TimeSpan? Delay { get; init; }

    /// <summary>When the job is due; the past is now. Excludes <see cref="Delay"/>.</summary>
    public DateTimeOffset? RunAt { get; init; }

    /// <summary>A key that at most one job of the queue holds.</summary>
    public UniqueOptions? Unique { get; init; }

    /// <summary>Jobs of one group run one at a time, in order.</summary>
    public string? Group { get; init; }

    /// <summary>Attempts before the job is dead.</summary>
    public int? MaxAttempts { get; init; }

    public RetryOptions? Retry { get; init; }

    /// <summary>Not leased within this time of being due, the job dies.</summary>
    [JsonPropertyName("expireAfterMs")]
    public TimeSpan? ExpireAfter { get; init; }

    /// <summary>The longest run of one attempt.</summary>
    [JsonPropertyName("timeoutMs")]
    public TimeSpan? Timeout { get; init; }

    /// <summary>How long a succeeded or cancelled job stays readable.</summary>
    [JsonPropertyName("keepMs")]
    public TimeSpan? Keep { get; init; }

    /// <summary>How long a dead job stays readable.</summary>
    [JsonPropertyName("keepDeadMs")]
    public TimeSpan? KeepDead { get; init; }

    /// <summary>Strings to find the job by.</summary>
    public IReadOnlyList<string>? Tags { get; init; }

    /// <summary>Strings that are handed to the worker.</summary>
    public IReadOnlyDictionary<string, string>? Headers { get; init; }

    /// <summary>Ids of jobs that must succeed first; within a batch also <c>#ref</c> of an earlier job.</summary>
    public IReadOnlyList<string>? DependsOn { get; init; }

    /// <summary>A name for <see cref="DependsOn"/> of later jobs of the same batch; not stored.</summary>
    public string? Ref { get; init; }

    /// <summary><c>die</c> or <c>run</c> when a dependency died or was cancelled.</summary>
    public string? OnDependencyFailure { get; init; }
}
