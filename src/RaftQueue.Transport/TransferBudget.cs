using System.Diagnostics;

namespace RaftQueue.Transport;

/// <summary>
/// How fast this node gives pages to others, all of them together: a bucket that fills evenly and holds a tenth of a second's
/// worth, so that what the node does for clients always has most of the disk, the network and the processor. Any thread.
/// </summary>
internal sealed class TransferBudget(long bytesPerSecond)
{
    private readonly Lock _gate = new();
    private readonly double _most = bytesPerSecond / 10.0;
    private double _bytes = bytesPerSecond / 10.0;
    private long _filledAt = Stopwatch.GetTimestamp();

    /// <summary>Takes what was just sent; waits while more was taken than has come in.</summary>
    public ValueTask TakeAsync(int bytes, CancellationToken cancellation)
    {
        TimeSpan wait;
        lock (_gate)
        {
            long now = Stopwatch.GetTimestamp();
            _bytes = Math.Min(_most, _bytes + (Stopwatch.GetElapsedTime(_filledAt, now).TotalSeconds * bytesPerSecond)) - bytes;
            _filledAt = now;
            if (_bytes >= 0) return ValueTask.CompletedTask;
            wait = TimeSpan.FromSeconds(-_bytes / bytesPerSecond);
        }

        return new ValueTask(Task.Delay(wait, cancellation));
    }
}
