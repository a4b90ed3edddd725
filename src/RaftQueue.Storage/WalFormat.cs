namespace RaftQueue.Storage;

/// <summary>Numbers and names that several parts of the log share.</summary>
internal static class WalFormat
{
    /// <summary>Batches start at multiples of this, so that a torn write never touches a block of an earlier batch.</summary>
    public const int BlockBytes = 4096;

    /// <summary>No segment is ever made smaller; a file gets a segment's name when all of it is allocated and synced.</summary>
    public const int LeastSegmentBytes = 8 * BlockBytes;

    public const string SegmentSuffix = ".seg";
    public const string SpareSuffix = ".spare";

    public static long RoundUp(long bytes) => (bytes + BlockBytes - 1) / BlockBytes * BlockBytes;

    public static string WalDirectory(string directory) => Path.Combine(directory, "wal");
}
