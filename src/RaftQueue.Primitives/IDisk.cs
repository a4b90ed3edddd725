namespace RaftQueue.Primitives;

/// <summary>
/// The file system calls that durability rests on; paths are absolute or relative to the process. All calls block, and
/// all fail with <see cref="DiskException"/>. Safe from any thread.
/// </summary>
public interface IDisk
{
    /// <summary>Opens an existing file, or makes an empty one when <paramref name="create"/> is set and there is none.</summary>
    IDiskFile Open(string path, bool create);

    bool FileExists(string path);

    /// <summary>The names (not paths) of the files in a directory, in ordinal order; empty when there is no such directory.</summary>
    IReadOnlyList<string> ListFiles(string directory);

    /// <summary>Makes a directory and its missing parents, readable by the owner only (mode 0700), and syncs each parent.</summary>
    void CreateDirectory(string path);

    /// <summary>Replaces <paramref name="to"/> in one step. Durable only after <see cref="SyncDirectory"/>.</summary>
    void Rename(string from, string to);

    /// <summary>Removes a file; none there is not an error. Durable only after <see cref="SyncDirectory"/>.</summary>
    void Delete(string path);

    /// <summary>fsync of the directory: what was created, renamed and deleted in it is durable.</summary>
    void SyncDirectory(string path);

    /// <summary>Bytes that can still be allocated on the file system that holds <paramref name="path"/>.</summary>
    long FreeBytes(string path);
}
