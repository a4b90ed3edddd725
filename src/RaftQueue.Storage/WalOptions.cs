namespace RaftQueue.Storage;

/// <summary>How the write-ahead log uses the disk and memory of one node.</summary>
public sealed record WalOptions
{
    /// <summary>Bytes of one segment file, a multiple of 4 KiB. An entry must fit in one with room for its batch header.</summary>
    public long SegmentBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Zero-filled segments held ready, so that finishing and trimming go on when the disk is full.</summary>
    public int ReserveSegments { get; init; } = 2;

    /// <summary>
    /// So many segments, those of the log and spares together, are kept for the next ones rather than deleted: deleting and zero-filling
    /// holds up whoever waits for the log. More are kept only while the log needs them.
    /// </summary>
    public int KeepSegments { get; init; } = 10;

    /// <summary>Bytes of recent entries that stay in memory for each shard; older ones are read from the segments.</summary>
    public long CacheBytesPerShard { get; init; } = 16 * 1024 * 1024;

    /// <summary>An idle log writes a sync mark after this time.</summary>
    public long SyncMarkIdleMs { get; init; } = 100;

    public int Shards { get; init; } = 1;

    /// <summary>False is quorum-memory: entries are reported once written, and synced within 50 ms. Hard state is always synced.</summary>
    public bool SyncBeforeReply { get; init; } = true;
}
