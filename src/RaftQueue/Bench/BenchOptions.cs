namespace RaftQueue.Bench;

/// <summary>What `raftqueue bench` was asked to do.</summary>
internal sealed record BenchOptions
{
    public BenchMode Mode { get; init; }

    public required IReadOnlyList<Uri> Servers { get; init; }

    public string? Token { get; init; }

    public required string Queue { get; init; }

    /// <summary>Jobs to enqueue over all connections; null: as many as <see cref="Time"/> allows.</summary>
    public long? Jobs { get; init; }

    public TimeSpan? Time { get; init; }

    public int PayloadBytes { get; init; }

    public int Connections { get; init; }

    /// <summary>Jobs a request; 1 sends jobs that are no batch.</summary>
    public int Batch { get; init; }

    /// <summary>Jobs get a <c>delayMs</c> drawn evenly from 1 to this; 0: they are due at once.</summary>
    public long DelayOverMs { get; init; }

    /// <summary>When all enqueued jobs are due; null: at once, or after their delays.</summary>
    public DateTimeOffset? RunAt { get; init; }

    /// <summary>Of a lease request, milliseconds.</summary>
    public long PullAheadMs { get; init; }

    /// <summary>
    /// Jobs a second over all connections; null: as many as possible. Requests then begin at times fixed beforehand, and what a late
    /// one waited counts.
    /// </summary>
    public double? Rate { get; init; }

    /// <summary>Connections go to all servers in turn, not only to the leader.</summary>
    public bool SpreadOverAll { get; init; }
}
