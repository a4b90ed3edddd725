using System.Diagnostics;

namespace RaftQueue.Bench;

/// <summary>What all connections of a run have done together. Safe from any thread.</summary>
internal sealed class BenchTally(BenchOptions options)
{
    private readonly long _start = Stopwatch.GetTimestamp();
    private long _taken;
    private long _enqueued;
    private long _acked;
    private long _refused;
    private long _unknown;
    private long _done;

    public long Enqueued => Volatile.Read(ref _enqueued);

    public long Acked => Volatile.Read(ref _acked);

    /// <summary>Requests that were refused and sent again.</summary>
    public long Refused => Volatile.Read(ref _refused);

    /// <summary>Requests whose outcome nobody knows: their jobs count as not done.</summary>
    public long Unknown => Volatile.Read(ref _unknown);

    /// <summary>Since the start until now, or until the run was done.</summary>
    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(_start, _done == 0 ? Stopwatch.GetTimestamp() : _done);

    /// <summary>Why the run ended early; null when it did not.</summary>
    public string? Failure { get; private set; }

    public bool IsOver => Failure is not null || Volatile.Read(ref _done) != 0;

    /// <summary>Asks for one more batch; false when there is none left or the time is up.</summary>
    public bool TryTakeBatch()
    {
        if (IsOver || (options.Time is { } time && Elapsed >= time)) return false;
        return options.Jobs is not { } jobs || Interlocked.Add(ref _taken, options.Batch) <= jobs;
    }

    public void AddEnqueued(long jobs) => Interlocked.Add(ref _enqueued, jobs);

    public void AddAcked(long jobs) => Interlocked.Add(ref _acked, jobs);

    public void AddRefused() => Interlocked.Increment(ref _refused);

    public void AddUnknown() => Interlocked.Increment(ref _unknown);

    public void Fail(string why) => Failure ??= why;

    public void Finish() => _done = Stopwatch.GetTimestamp();
}
