namespace RaftQueue.Client;

/// <summary>How many jobs of a queue are in which state.</summary>
public sealed record JobCounts
{
    public long Scheduled { get; init; }

    public long Ready { get; init; }

    public long Blocked { get; init; }

    public long Leased { get; init; }

    public long Succeeded { get; init; }

    public long Dead { get; init; }

    public long Cancelled { get; init; }

    /// <summary>Jobs that still have work to do.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public long Unfinished => Scheduled + Ready + Blocked + Leased;
}
