namespace RaftQueue.Primitives;

/// <summary>
/// A file of which no sync returns any more once one has failed. Loops share files, and the kernel tells of what it could not write only once:
/// to whom it told nothing it is lost all the same. The one place for this, over real disks and simulated ones.
/// </summary>
/// <param name="file">What is called; disposed with this.</param>
/// <param name="path">For the message.</param>
public sealed class LatchedFile(IDiskFile file, string path) : IDiskFile
{
    private readonly Lock _syncing = new();
    private DiskException? _failed;

    /// <summary>As <see cref="IDisk.Open"/>.</summary>
    public static LatchedFile Open(IDisk disk, string path, bool create) => new(disk.Open(path, create), path);

    public long Length => file.Length;

    public int ReadAt(long offset, Span<byte> buffer) => file.ReadAt(offset, buffer);

    public void WriteAt(long offset, ReadOnlySpan<byte> data) => file.WriteAt(offset, data);

    public void WriteGatherAt(long offset, IReadOnlyList<ReadOnlyMemory<byte>> parts) => file.WriteGatherAt(offset, parts);

    public void DataSync()
    {
        lock (_syncing)
        {
            ThrowIfFailed();
            try
            {
                file.DataSync();
            }
            catch (DiskException failure)
            {
                Latch(failure);
                throw;
            }
        }
    }

    public void Allocate(long length)
    {
        // It syncs as well, and a full disk is the one failure that leaves what was written before as it was.
        lock (_syncing)
        {
            ThrowIfFailed();
            try
            {
                file.Allocate(length);
            }
            catch (DiskException failure) when (!failure.IsDiskFull || failure.IsSync)
            {
                Latch(failure);
                throw;
            }
        }
    }

    public void SetLength(long length) => file.SetLength(length);

    public void Advise(DiskAdvice advice, long offset, long length) => file.Advise(advice, offset, length);

    public void Dispose() => file.Dispose();

    private void ThrowIfFailed()
    {
        if (_failed is { } before) throw new DiskException(before.Call, path, before.Errno);
    }

    private void Latch(DiskException failure)
    {
#if PLANTED_BUGS
        if (PlantedBugs.Has(PlantedBug.SyncRetried) || PlantedBugs.Has(PlantedBug.SyncErrorIgnored)) return;
#endif
        _failed = failure;
    }
}
