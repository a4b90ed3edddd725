using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>
/// A file that says: the state in this directory is not the cluster's; it must not be used until a peer's has taken its place.
/// </summary>
internal static class RepairMark
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

    private static string PathOf(CheckpointFiles files, ShardId shard) => Path.Combine(files.DirectoryOf(shard), "repair");
}
