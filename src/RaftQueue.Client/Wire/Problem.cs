namespace RaftQueue.Client;

/// <summary>An error reply (RFC 9457) with the fields that the server adds.</summary>
internal sealed record Problem
{
    public string? Title { get; init; }

    public string? Detail { get; init; }

    public string? Code { get; init; }

    public long? RetryAfterMs { get; init; }

    public string? JobId { get; init; }

    public IReadOnlyList<RequestError>? Errors { get; init; }
}
