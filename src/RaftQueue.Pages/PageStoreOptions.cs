namespace RaftQueue.Pages;

/// <summary>How one shard's pages are kept in memory. None of it changes what the pages hold.</summary>
public sealed record PageStoreOptions
{
    /// <summary>
    /// The largest page number plus one, at most <see cref="PageStore.MaxPages"/>. Whether new work is refused because the
    /// state is large is a replicated decision, taken by the caller long before this bound.
    /// </summary>
    public int MaxPages { get; init; } = PageStore.MaxPages;

    /// <summary>Compares a page pinned for reading with itself when it is unpinned. Slow: for tests.</summary>
    public bool CheckReads { get; init; }
}
