using RaftQueue.Jobs;

namespace RaftQueue.Runtime;

/// <summary>A reader that waits for a job to be finished. Apply loop.</summary>
internal sealed class JobWatch(JobId job, long deadlineMicroseconds, Action<ShardApply> served, Action abandoned)
{
    public JobId Job { get; } = job;

    public long DeadlineMicroseconds { get; } = deadlineMicroseconds;

    public bool IsOver { get; private set; }

    /// <summary>The job is finished, or the wait is over.</summary>
    public void Serve(ShardApply apply)
    {
        if (IsOver) return;
        IsOver = true;
        served(apply);
    }

    public void Abandon()
    {
        if (IsOver) return;
        IsOver = true;
        abandoned();
    }
}
