using System.Text.Json.Serialization;

namespace RaftQueue.Client;

/// <summary>A request for jobs to work on.</summary>
/// <param name="Queues">Queues in strict order: all the first has, then the next.</param>
public sealed record LeaseRequest(IReadOnlyList<string> Queues)
{
    /// <summary>The most jobs to hand out at once, 1 to 1,000.</summary>
    public int MaxJobs { get; init; } = 1;

    /// <summary>How long the jobs are held; absent means the queue's setting.</summary>
    [JsonPropertyName("leaseMs")]
    public TimeSpan? Lease { get; init; }

    /// <summary>How long the server waits for a job before it answers with none, to a minute.</summary>
    [JsonPropertyName("waitMs")]
    public TimeSpan Wait { get; init; }

    /// <summary>Who asks; shown in the job's attempts.</summary>
    public string? Worker { get; init; }

    /// <summary>When nothing is due: hands out jobs scheduled within this time, earliest first.</summary>
    [JsonPropertyName("pullAheadMs")]
    public TimeSpan? PullAhead { get; init; }
}
