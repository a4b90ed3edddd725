using RaftQueue.Primitives;

namespace RaftQueue.Storage;

/// <summary>
/// Keeps the log's reserve of zero-filled segments complete, on a loop of its own: whoever waits for the log does not wait for zeros. It
/// rests between slices, so that the log's fsync has the disk; when it does not keep up the log's loop makes a segment itself. A
/// <see cref="DiskException"/> that leaves <see cref="RunOnce"/> means the same as one that leaves the log's loop: the process stops.
/// </summary>
internal sealed class SegmentPreparation(SegmentStore segments, IClock clock, Action changed) : ILoopBody
{
    /// <summary>Times what a slice took.</summary>
    private const int Rest = 2;

    private bool _stopped;

    public long RunOnce()
    {
        Invariant.That(!_stopped, "nothing runs after the disk has failed");
        _stopped = true;
        long begin = clock.MonotonicMicroseconds;
        (bool full, bool exhausted) = (segments.IsFull, segments.IsExhausted);
        long next = segments.PrepareSlice(begin);
        _stopped = false;
        if (full != segments.IsFull || (exhausted && !segments.IsExhausted)) changed();
        if (next > begin || segments.IsExhausted) return next;
        long end = clock.MonotonicMicroseconds;
        return end + (Rest * (end - begin));
    }
}
