using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>
/// Writes pages that leave memory next, of all shards, a batch at a time in order of arrival, so that the apply loop does not wait for
/// the disk. Its inbox may be filled from any thread.
/// </summary>
internal sealed class EvictionLoop : ILoopBody
{
    private readonly Inbox<PageStore> _inbox = new();
    private readonly Queue<PageStore> _waiting = new();

    public ILoopHandle? Handle { get; set; }

    /// <summary>Before the apply loop uses the pages: what leaves them is written here.</summary>
    public void Serve(PageStore pages) => pages.AttachWriter(() =>
    {
        _inbox.Add(pages);
        Handle?.Wake();
    });

    public long RunOnce()
    {
        foreach (PageStore pages in _inbox.TakeAll()) _waiting.Enqueue(pages);
        if (_waiting.TryDequeue(out PageStore? next)) next.WriteNextAhead();
        return _waiting.Count > 0 ? 0 : ILoopBody.Never;
    }
}
