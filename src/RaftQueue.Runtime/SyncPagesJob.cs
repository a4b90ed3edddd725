using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>
/// Syncs what the apply loop evicted to a checkpoint file, before it is so much that the log's fsync would wait long behind it
/// and the apply loop would have to do it.
/// </summary>
internal sealed class SyncPagesJob(PageStore pages, Action done) : ICheckpointJob
{
    public long RunSlice(long nowMicroseconds)
    {
        pages.SyncEvicted();
        done();
        return ILoopBody.Never;
    }
}
