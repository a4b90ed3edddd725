namespace RaftQueue.Client;

/// <summary>One run of a job.</summary>
public sealed record Attempt
{
    /// <summary>The attempt's number, from 1.</summary>
    [System.Text.Json.Serialization.JsonPropertyName("attempt")]
    public int Number { get; init; }

    public string? Worker { get; init; }

    public DateTimeOffset StartedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>How it ended, in the server's words.</summary>
    public string? Outcome { get; init; }

    public string? Error { get; init; }
}
