namespace RaftQueue.Client;

/// <summary>What a <see cref="Worker"/> works on and how.</summary>
public sealed record WorkerOptions
{
    /// <summary>Queues in strict order.</summary>
    public required IReadOnlyList<string> Queues { get; init; }

    /// <summary>The most jobs that run at once.</summary>
    public int Concurrency { get; init; } = 1;

    /// <summary>How long a job is held without an extension; absent means the queue's setting. A third of it is the pace of extensions.</summary>
    public TimeSpan? Lease { get; init; }

    /// <summary>How long one request waits at the server for a job.</summary>
    public TimeSpan Wait { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>The worker's name in the jobs' attempts; absent means host and process id.</summary>
    public string Name { get; init; } = $"{Environment.MachineName}-{Environment.ProcessId}";

    /// <summary>Ends when nothing can be leased and nothing runs.</summary>
    public bool StopWhenEmpty { get; init; }

    /// <summary>Ends after this many jobs.</summary>
    public long? MostJobs { get; init; }

    /// <summary>Told of every job that was finished, with what the server said about it. Must not throw.</summary>
    public Action<JobRun, JobOutcome, LeaseResult>? OnFinished { get; init; }

    /// <summary>Told of requests that failed for good; the worker goes on. Must not throw.</summary>
    public Action<RaftQueueException>? OnError { get; init; }

    /// <summary>The pace of extensions, for tests that must not depend on the length of a lease.</summary>
    internal TimeSpan? ExtendEvery { get; init; }
}
