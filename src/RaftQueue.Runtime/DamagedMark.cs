using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>
/// A file that says: a page of this shard's checkpoint could not be read as it was written. The next start reads every page
/// before it uses one, and goes on from the checkpoint before or from a peer's when one is damaged. It stands until a
/// checkpoint that is known to be whole is the newest.
/// </summary>
internal static class DamagedMark
{
    public static void Set(CheckpointFiles files, ShardId shard)
    {
        using IDiskFile file = files.Disk.Open(PathOf(files, shard), create: true);
        file.DataSync();
        files.Disk.SyncDirectory(files.DirectoryOf(shard));
    }

    public static bool IsSet(CheckpointFiles files, ShardId shard) => files.Disk.FileExists(PathOf(files, shard));

    public static void Clear(CheckpointFiles files, ShardId shard)
    {
        if (!IsSet(files, shard)) return;
        files.Disk.Delete(PathOf(files, shard));
        files.Disk.SyncDirectory(files.DirectoryOf(shard));
    }

    private static string PathOf(CheckpointFiles files, ShardId shard) => Path.Combine(files.DirectoryOf(shard), "damaged");
}
