namespace RaftQueue.Pages;

/// <summary>How a checkpoint file takes space and writes; in bytes.</summary>
public sealed record CheckpointOptions
{
    /// <summary>The file grows by this much at a time, a multiple of 4 KiB.</summary>
    public int ExtentBytes { get; init; } = 4 << 20;

    /// <summary>
    /// About this much is written between two fsyncs, so that the log's fsync never waits long behind it. Whoever evicts pages faster
    /// than the checkpoint loop syncs them waits for an fsync at four times as much.
    /// </summary>
    public int SyncBytes { get; init; } = 16 << 20;

    /// <summary>About how much one <see cref="CheckpointWriter.RunOnce"/> writes, a multiple of 4 KiB.</summary>
    public int SliceBytes { get; init; } = 256 << 10;

    /// <summary>
    /// What the log is left on the disk, beside one checkpoint's worth: with less the file does not grow for the sake of runs, and grows where
    /// it has no free slot.
    /// </summary>
    public long LogReserveBytes { get; init; } = 128 << 20;

    /// <summary>The most that <see cref="CheckpointFile.ReserveAhead"/> keeps free for the next checkpoint.</summary>
    public long MaxReserveBytes { get; init; } = 256 << 20;
}
