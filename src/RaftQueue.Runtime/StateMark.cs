using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>
/// An empty file beside a shard's checkpoint that tells the next start not to trust it. It takes no room on the disk, and stands until a
/// checkpoint that is known to be whole and the cluster's is the newest.
/// </summary>
internal sealed class StateMark
{
    private readonly string _name;

    private StateMark(string name) => _name = name;

    /// <summary>
    /// A page of this checkpoint could not be read as it was written: every page is read before one is used, and when one is
    /// damaged the node goes on from the checkpoint before, or from a peer's.
    /// </summary>
    public static StateMark Damaged { get; } = new("damaged");

    /// <summary>The state in this directory is not the cluster's: it is not used until a peer's has taken its place.</summary>
    public static StateMark Repair { get; } = new("repair");

    /// <summary>False when the disk has no room for the name. Any other failure throws, and the process must stop.</summary>
    public bool TrySet(CheckpointFiles files, ShardId shard)
    {
        IDiskFile file;
        try
        {
            file = files.Disk.Open(PathOf(files, shard), create: true);
        }
        catch (DiskException full) when (full.IsDiskFull)
        {
            return false;
        }

        using (file) file.DataSync();
        files.Disk.SyncDirectory(files.DirectoryOf(shard));
        return true;
    }

    public bool IsSet(CheckpointFiles files, ShardId shard) => IsSet(files.Disk, files.DirectoryOf(shard));

    public bool IsSet(IDisk disk, string shardDirectory) => disk.FileExists(PathIn(shardDirectory));

    public void Clear(CheckpointFiles files, ShardId shard)
    {
        if (!IsSet(files, shard)) return;
        files.Disk.Delete(PathOf(files, shard));
        files.Disk.SyncDirectory(files.DirectoryOf(shard));
    }

    public string PathIn(string shardDirectory) => Path.Combine(shardDirectory, _name);

    private string PathOf(CheckpointFiles files, ShardId shard) => PathIn(files.DirectoryOf(shard));
}
