namespace RaftQueue.Storage;

/// <summary>A disk on which a directory can be kept for one process. <see cref="LinuxDisk"/> is one; a simulated disk need not be.</summary>
public interface IDirectoryLocker
{
    /// <summary>
    /// Takes DIR/lock until the result is disposed. The same disk object may take it more than once.
    /// Throws <see cref="DirectoryInUseException"/> when another process (or another disk object) holds it.
    /// </summary>
    IDisposable LockDirectory(string directory);
}
