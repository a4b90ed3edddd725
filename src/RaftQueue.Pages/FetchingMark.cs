using System.Buffers.Binary;
using RaftQueue.Primitives;

namespace RaftQueue.Pages;

/// <summary>
/// The file beside a checkpoint file that says that another node's checkpoint is being taken over, and how many pages that one has: i64, and
/// CRC32C u32 of it, little endian. Anything else counts as 0 pages.
/// </summary>
internal static class FetchingMark
{
    private const int Size = 12;

    public static long Read(IDisk disk, string path)
    {
        using IDiskFile file = disk.Open(path, create: false);
        Span<byte> content = stackalloc byte[Size];
        if (SlotRead.TryReadAt(file, 0, content) < Size) return 0;
        long pages = BinaryPrimitives.ReadInt64LittleEndian(content);
        bool isWhole = BinaryPrimitives.ReadUInt32LittleEndian(content[8..]) == Crc32C.Compute(content[..8]);
        return isWhole && pages is >= 0 and < PageStore.MaxPages ? pages : 0;
    }

    /// <summary>
    /// False on a full disk: then the next process may fetch again what this one has. Any other failure throws, and the process must stop.
    /// </summary>
    public static bool Write(IDisk disk, string path, long pages)
    {
        Span<byte> content = stackalloc byte[Size];
        BinaryPrimitives.WriteInt64LittleEndian(content, pages);
        BinaryPrimitives.WriteUInt32LittleEndian(content[8..], Crc32C.Compute(content[..8]));
        try
        {
            using IDiskFile file = disk.Open(path, create: true);
            file.WriteAt(0, content);
            file.DataSync();
        }
        catch (DiskException full) when (full.IsDiskFull)
        {
            return false;
        }

        return true;
    }
}
