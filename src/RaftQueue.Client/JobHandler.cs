namespace RaftQueue.Client;

/// <summary>Works on a leased job. An exception counts as a failed attempt with its message as the error.</summary>
/// <param name="run">The job and its lease.</param>
/// <param name="cancel">The lease was lost, the job is to be cancelled, or the worker is to stop at once.</param>
public delegate Task<JobOutcome> JobHandler(JobRun run, CancellationToken cancel);
