using RaftQueue.Consensus;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>
/// DIR/shard-N/bootstrap: the membership that a new cluster begins with, kept from the moment when all members were known to
/// be blank. It counts only while the log is empty; the first entry of the log takes its place.
/// </summary>
internal static class BootstrapFile
{
    private const int CrcBytes = sizeof(uint);

    public static void Write(CheckpointFiles files, ShardId shard, MembershipRecord membership)
    {
        byte[] encoded = membership.Encode();
        byte[] content = [.. BitConverter.GetBytes(Crc32C.Compute(encoded)), .. encoded];
        string fresh = PathOf(files, shard) + ".new";
        using (IDiskFile file = files.Disk.Open(fresh, create: true))
        {
            file.SetLength(0);
            file.WriteAt(0, content);
            file.DataSync();
        }

        files.Disk.Rename(fresh, PathOf(files, shard));
        files.Disk.SyncDirectory(files.DirectoryOf(shard));
    }

    /// <summary>Null when there is none, or none that is whole: then all members are asked again.</summary>
    public static MembershipRecord? Read(CheckpointFiles files, ShardId shard)
    {
        if (!files.Disk.FileExists(PathOf(files, shard))) return null;
        using IDiskFile file = files.Disk.Open(PathOf(files, shard), create: false);
        byte[] content = new byte[Math.Min(file.Length, 64 * 1024)];
        int read = file.ReadAt(0, content);
        if (read <= CrcBytes) return null;
        ReadOnlySpan<byte> encoded = content.AsSpan(CrcBytes, read - CrcBytes);
        if (BitConverter.ToUInt32(content) != Crc32C.Compute(encoded)) return null;
        return MembershipRecord.TryDecode(encoded, out MembershipRecord? membership) ? membership : null;
    }

    private static string PathOf(CheckpointFiles files, ShardId shard) => Path.Combine(files.DirectoryOf(shard), "bootstrap");
}
