using RaftQueue.Primitives;

namespace RaftQueue.Storage;

/// <summary>One open segment file of the log.</summary>
internal sealed class Segment(long sequence, string path, IDiskFile file, long bytes)
{
    public long Sequence { get; } = sequence;

    public string Path { get; } = path;

    public IDiskFile File { get; } = file;

    /// <summary>Up to where batches may be written.</summary>
    public long Bytes { get; } = bytes;

    /// <summary>Readers under way; the file is not recycled while there are any. Under the store's lock.</summary>
    public int Readers { get; set; }
}
