using System.Text.Json.Serialization;

namespace RaftQueue.Client;

/// <summary>The answer to one ack, nack, extend, release or reschedule.</summary>
public sealed record LeaseResult
{
    public required string Token { get; init; }

    public LeaseStatus Status { get; init; }

    /// <summary>For <see cref="LeaseStatus.Invalid"/>: the stable code of the error.</summary>
    public string? Code { get; init; }

    /// <summary>For <see cref="LeaseStatus.Invalid"/>: what to do about it.</summary>
    public string? Detail { get; init; }

    /// <summary>After an extend: when the lease ends.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>After an extend: what was left when the server answered.</summary>
    [JsonPropertyName("remainingMs")]
    public TimeSpan? Remaining { get; init; }

    /// <summary>After an extend: somebody asked for the job's cancellation; finish or give up.</summary>
    public bool CancelRequested { get; init; }
}
