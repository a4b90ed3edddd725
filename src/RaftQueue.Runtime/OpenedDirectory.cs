using RaftQueue.Primitives;
using RaftQueue.Storage;

namespace RaftQueue.Runtime;

/// <summary>A data directory that is this node's, locked, recovered and ready to run on.</summary>
internal sealed class OpenedDirectory
{
    private OpenedDirectory(
        IDisposable? directoryLock, WriteAheadLog wal, CheckpointFiles files, ShardOpening[] shards, Incarnation incarnation, ulong boot)
    {
        Lock = directoryLock;
        Wal = wal;
        Files = files;
        Shards = shards;
        Incarnation = incarnation;
        Boot = boot;
    }

    public IDisposable? Lock { get; }

    public WriteAheadLog Wal { get; }

    public CheckpointFiles Files { get; }

    public ShardOpening[] Shards { get; }

    public Incarnation Incarnation { get; }

    public ulong Boot { get; }

    /// <summary>Throws <see cref="NodeStartException"/> when the directory is not for this node.</summary>
    public static OpenedDirectory Open(NodeOptions options, NodeEnvironment environment)
    {
        IDisk disk = environment.Disk;
        string path = options.DataDirectory;
        IDisposable? directoryLock = null;
        try
        {
            disk.CreateDirectory(path);
            directoryLock = (disk as IDirectoryLocker)?.LockDirectory(path);
            return Open(options, environment, directoryLock);
        }
        catch (NodeIdentityMismatchException exception)
        {
            directoryLock?.Dispose();
            throw new NodeStartException(exception.Message, exception);
        }
        catch (Exception exception) when (exception is DirectoryInUseException or DiskException or StorageDamagedException)
        {
            directoryLock?.Dispose();
            throw new NodeStartException($"DataDirectory '{path}' cannot be used: {exception.Message}", exception);
        }
        catch
        {
            directoryLock?.Dispose();
            throw;
        }
    }

    private static OpenedDirectory Open(NodeOptions options, NodeEnvironment environment, IDisposable? directoryLock)
    {
        var configured = new NodeIdentity
        {
            ClusterId = options.ClusterId,
            NodeId = options.NodeId,
            Shards = options.Shards,
            Durability = options.Durability == Durability.QuorumFsync ? "quorum-fsync" : "quorum-memory",
        };
        NodeIdentity identity;
        using (NodeIdentityFile file = NodeIdentityFile.Open(environment.Disk, options.DataDirectory, configured, environment.Random))
        {
            identity = file.Identity;
        }

        var walOptions = new WalOptions
        {
            Shards = options.Shards,
            SegmentBytes = options.WalSegmentBytes,
            SyncBeforeReply = options.Durability == Durability.QuorumFsync,
        };
        long began = environment.Clock.MonotonicMicroseconds;
        WriteAheadLog wal = WriteAheadLog.Open(environment.Disk, environment.Clock, options.DataDirectory, walOptions);
        var files = new CheckpointFiles(environment.Disk, options, environment.Clock, environment.Log);
        long walOpened = environment.Clock.MonotonicMicroseconds;
        var shards = new ShardOpening[options.Shards];
        for (int i = 0; i < shards.Length; i++)
        {
            shards[i] = ShardOpening.Open(new ShardId((ushort)i), wal, files, environment.Log);
        }

        long took = environment.Clock.MonotonicMicroseconds - walOpened;
        environment.Log.Info($"the log was opened in {(walOpened - began) / 1000} ms, the checkpoints in {took / 1000} ms");
        return new OpenedDirectory(directoryLock, wal, files, shards, identity.Incarnation, (ulong)identity.BootCounter);
    }
}
