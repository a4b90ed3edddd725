namespace RaftQueue.Client;

/// <summary>A leased job in a handler's hands.</summary>
public sealed class JobRun
{
    private int _state;

    internal JobRun(Job job, string token)
    {
        Job = job;
        Token = token;
    }

    public Job Job { get; }

    /// <summary>The lease's token.</summary>
    public string Token { get; }

    /// <summary>Grows with every lease of the shard: pass it to systems that must refuse a late writer.</summary>
    public long Fence => Job.Lease!.Fence;

    /// <summary>The lease ran out or was taken: whatever the handler does now does not count, and the job may run elsewhere.</summary>
    public bool IsLeaseLost => (Volatile.Read(ref _state) & 1) != 0;

    /// <summary>Somebody asked for the job's cancellation.</summary>
    public bool IsCancelRequested => (Volatile.Read(ref _state) & 2) != 0;

    /// <summary>What is sent with the next extension, shown to whoever looks at the job; at most 4 KiB.</summary>
    public JsonText? Progress { get; set; }

    internal void LoseLease() => Interlocked.Or(ref _state, 1);

    internal void RequestCancel() => Interlocked.Or(ref _state, 2);
}
