namespace RaftQueue.Pages;

/// <summary>How one shard's pages are kept in memory. None of it changes what the pages hold.</summary>
public sealed record PageStoreOptions
{
    /// <summary>
    /// The largest page number plus one, at most <see cref="PageStore.MaxPages"/>. Whether new work is refused because the
    /// state is large is a replicated decision, taken by the caller long before this bound.
    /// </summary>
    public int MaxPages { get; init; } = PageStore.MaxPages;

    /// <summary>
    /// Pages' worth of memory, at least <see cref="PageStore.MinResidentPages"/>; 0 is no bound. What the store knows of each
    /// page is paid from it (<see cref="PageStore.TableBytesPerPage"/>), the rest holds pages; others are evicted to the
    /// checkpoint file.
    /// </summary>
    public int MaxResidentPages { get; init; }

    /// <summary>
    /// How far beyond <see cref="MaxResidentPages"/> memory may grow while the disk is full and no changed page can be
    /// evicted; then <see cref="StateSpaceException"/>.
    /// </summary>
    public int OvershootPages { get; init; } = 16 * 1024;

    /// <summary>About how many pages one step looks at, of work that is as long as what was left or freed.</summary>
    public int StepPages { get; init; } = 1024;

    /// <summary>A monotonic clock, only to measure how long evicting holds the caller up; null: it is not measured.</summary>
    public Func<long>? Microseconds { get; init; }

    /// <summary>Told right before pinning throws because a page cannot be read as it was written.</summary>
    public Action<Exception>? OnUnreadable { get; init; }

    /// <summary>Compares a page pinned for reading with itself when it is unpinned. Slow: for tests.</summary>
    public bool CheckReads { get; init; }
}
