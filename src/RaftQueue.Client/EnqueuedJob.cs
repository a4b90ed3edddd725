namespace RaftQueue.Client;

/// <summary>What became of an enqueued job.</summary>
public sealed record EnqueuedJob
{
    /// <summary>The job's id, or that of the job that holds its unique key.</summary>
    public required string Id { get; init; }

    public JobState State { get; init; }

    /// <summary>The unique key was held: <see cref="Id"/> is the holder's.</summary>
    public bool Duplicate { get; init; }

    /// <summary>With <see cref="Duplicate"/>: the holder took over this job's payload and schedule.</summary>
    public bool Replaced { get; init; }
}
