using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>
/// The checkpoint file of each shard. The checkpoint loop writes and replaces them; readers for other nodes may be opened
/// from any thread.
/// </summary>
internal sealed class CheckpointFiles : IDisposable
{
    private readonly Lock _gate = new();
    private readonly IDisk _disk;
    private readonly string _directory;
    private readonly CheckpointFile?[] _files;

    public CheckpointFiles(IDisk disk, string directory, int shards)
    {
        _disk = disk;
        _directory = directory;
        _files = new CheckpointFile?[shards];
    }

    public IDisk Disk => _disk;

    public string DirectoryOf(ShardId shard) => Path.Combine(_directory, $"shard-{shard.Value}");

    public string PathOf(ShardId shard) => Path.Combine(DirectoryOf(shard), "checkpoint");

    public CheckpointFile this[ShardId shard]
    {
        get
        {
            lock (_gate)
            {
                CheckpointFile? file = _files[shard.Value];
                Invariant.That(file is not null, "a shard's checkpoint file is open");
                return file;
            }
        }
    }

    /// <summary>Opens the file of a shard, closing the one that was open.</summary>
    public CheckpointFile Open(ShardId shard)
    {
        lock (_gate)
        {
            _files[shard.Value]?.Dispose();
            return _files[shard.Value] = CheckpointFile.OpenOrCreate(_disk, PathOf(shard), new CheckpointOptions());
        }
    }

    /// <summary>Closes a shard's file and removes it: what it held must not be used.</summary>
    public void Discard(ShardId shard)
    {
        lock (_gate)
        {
            _files[shard.Value]?.Dispose();
            _files[shard.Value] = null;
            _disk.Delete(PathOf(shard));
            _disk.SyncDirectory(DirectoryOf(shard));
        }
    }

    /// <summary>A reader of a shard's newest checkpoint, or null when there is none.</summary>
    public CheckpointReader? OpenReader(ShardId shard)
    {
        lock (_gate) return _files[shard.Value]?.OpenReader();
    }

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (CheckpointFile? file in _files) file?.Dispose();
        }
    }
}
