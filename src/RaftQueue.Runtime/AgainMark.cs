using System.Globalization;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>
/// An empty file beside a shard's checkpoint: the state was in doubt, and the next start applies the log again from the checkpoint at the
/// index in its name, on which a majority had agreed. It stands until a majority agrees on a later one, so that it is done once.
/// </summary>
internal static class AgainMark
{
    private const string Prefix = "again-";

    /// <summary>The index, or null when there is no such mark.</summary>
    public static LogIndex? Read(IDisk disk, string shardDirectory)
    {
        LogIndex? lowest = null;
        foreach (string name in disk.ListFiles(shardDirectory))
        {
            if (IndexIn(name) is { } index && (lowest is null || index < lowest)) lowest = index;
        }

        return lowest;
    }

    /// <summary>False when the disk has no room for the name. Any other failure throws, and the process must stop.</summary>
    public static bool TrySet(IDisk disk, string shardDirectory, LogIndex index)
    {
        IDiskFile file;
        try
        {
            file = disk.Open(PathIn(shardDirectory, index), create: true);
        }
        catch (DiskException full) when (full.IsDiskFull)
        {
            return false;
        }

        using (file) file.DataSync();
        disk.SyncDirectory(shardDirectory);
        return true;
    }

    public static void Clear(IDisk disk, string shardDirectory)
    {
        foreach (string name in disk.ListFiles(shardDirectory))
        {
            if (IndexIn(name) is not null) disk.Delete(Path.Combine(shardDirectory, name));
        }

        disk.SyncDirectory(shardDirectory);
    }

    public static string PathIn(string shardDirectory, LogIndex index) =>
        Path.Combine(shardDirectory, Prefix + index.Value.ToString(CultureInfo.InvariantCulture));

    private static LogIndex? IndexIn(string name)
    {
        if (!name.StartsWith(Prefix, StringComparison.Ordinal)) return null;
        bool isNumber = long.TryParse(name.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out long index);
        return isNumber ? new LogIndex(index) : null;
    }
}
