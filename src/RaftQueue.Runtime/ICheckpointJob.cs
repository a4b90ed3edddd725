namespace RaftQueue.Runtime;

/// <summary>Work of the checkpoint loop, done in bounded slices.</summary>
internal interface ICheckpointJob
{
    /// <summary>
    /// One slice; the monotonic time at which the next one should run (now or earlier: at once), or
    /// <see cref="Primitives.ILoopBody.Never"/> when the job is done.
    /// </summary>
    long RunSlice(long nowMicroseconds);
}
