namespace RaftQueue.Primitives;

/// <summary>An open file. Reads and writes at different places may run on different threads.</summary>
public interface IDiskFile : IDisposable
{
    /// <summary>Size in bytes.</summary>
    long Length { get; }

    /// <summary>Reads up to <paramref name="buffer"/>'s length; fewer bytes only at the end of the file.</summary>
    int ReadAt(long offset, Span<byte> buffer);

    /// <summary>Writes all of <paramref name="data"/>; not durable before <see cref="DataSync"/>.</summary>
    void WriteAt(long offset, ReadOnlySpan<byte> data);

    /// <summary>Writes the parts one behind the other, in as few system calls as it can.</summary>
    void WriteGatherAt(long offset, IReadOnlyList<ReadOnlyMemory<byte>> parts);

    /// <summary>
    /// fdatasync: returns only when everything written before is on the medium. After it throws nothing may be assumed
    /// about any of those writes and it must not be tried again.
    /// </summary>
    void DataSync();

    /// <summary>
    /// Makes the file at least <paramref name="length"/> bytes long with blocks of its own that read as zeros, and syncs it with its
    /// size. Throws <see cref="DiskException"/> with <see cref="DiskException.IsDiskFull"/> when the space is not there.
    /// </summary>
    void Allocate(long length);

    /// <summary>Cuts or extends (sparsely) to <paramref name="length"/> bytes.</summary>
    void SetLength(long length);

    /// <summary>
    /// Tells the operating system's page cache what is known about <paramref name="length"/> bytes (0: all from
    /// <paramref name="offset"/> on). What the file holds is the same whether it listens or not, so that this neither fails nor waits for a read.
    /// </summary>
    void Advise(DiskAdvice advice, long offset, long length);
}
