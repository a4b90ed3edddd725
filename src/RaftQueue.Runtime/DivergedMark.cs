using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>A file that says: the state in this directory is not the cluster's; the next start must not use it.</summary>
internal static class DivergedMark
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
        files.Disk.Delete(PathOf(files, shard));
        files.Disk.SyncDirectory(files.DirectoryOf(shard));
    }

    private static string PathOf(CheckpointFiles files, ShardId shard) => Path.Combine(files.DirectoryOf(shard), "diverged");
}
