using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>
/// Syncs what the apply loop evicted to a checkpoint file, before it is so much that the log's fsync would wait long behind it,
/// and takes space ahead, so that the apply loop has to do neither.
/// </summary>
internal sealed class TendPagesJob(PageStore pages, Action<bool> done) : ICheckpointJob
{
    public long RunSlice(long nowMicroseconds)
    {
        done(pages.TendFile());
        return ILoopBody.Never;
    }
}
