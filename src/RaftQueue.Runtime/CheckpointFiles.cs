using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>
/// The checkpoint file of each shard, and how the pages of its state are kept in memory. The checkpoint loop writes and
/// replaces them; readers for other nodes may be opened from any thread.
/// </summary>
internal sealed class CheckpointFiles : IDisposable
{
    private const int ReservedSegments = 2;

    private readonly Lock _gate = new();
    private readonly Lock _marking = new(); // over what is done to marks on the disk: rarely, and by whoever ends the process
    private readonly HashSet<(ShardId Shard, StateMark Mark)> _found = []; // since the process started
    private readonly HashSet<(ShardId Shard, StateMark Mark)> _marked = []; // of these, what is told on the disk
    private readonly IDisk _disk;
    private readonly string _directory;
    private readonly int _residentPages;
    private readonly long _logReserveBytes;
    private readonly INodeLog _log;
    private readonly Func<long> _microseconds;
    private readonly CheckpointFile?[] _files;
    private readonly bool[] _needRepair;
    private readonly bool[] _inDoubt;
    private readonly LogIndex?[] _again;
    private readonly bool[] _agreedSince;

    /// <param name="disk">Where they are.</param>
    /// <param name="options">The node's: its directory, shards and memory, an equal share of which each shard's pages get.</param>
    /// <param name="clock">Measures how long pages that leave memory hold somebody up.</param>
    /// <param name="log">Told of pages that cannot be read.</param>
    public CheckpointFiles(IDisk disk, NodeOptions options, IClock clock, INodeLog log)
    {
        const long PagesPerMiB = (1 << 20) / PageStore.PageSize;
        _disk = disk;
        _directory = options.DataDirectory;
        _residentPages = options.ResidentPagesPerShard
            ?? (int)Math.Clamp(options.MemoryBudgetMiB * PagesPerMiB / options.Shards, PageStore.MinResidentPages, PageStore.MaxPages);
        _logReserveBytes = ReservedSegments * options.WalSegmentBytes;
        _log = log;
        _microseconds = () => clock.MonotonicMicroseconds;
        _files = new CheckpointFile?[options.Shards];
        _needRepair = new bool[options.Shards];
        _inDoubt = new bool[options.Shards];
        _again = new LogIndex?[options.Shards];
        _agreedSince = new bool[options.Shards];
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

    /// <summary>How a shard's pages are kept in memory.</summary>
    public PageStoreOptions StoreOptions(ShardId shard) => new()
    {
        MaxResidentPages = _residentPages,
        Microseconds = _microseconds,
        OnUnreadable = exception =>
        {
            _log.Error(
                $"shard {shard}: a page of the state cannot be read; this node stops. Its next start reads all of the checkpoint and,"
                + " when none on this disk is whole, takes what is damaged from a peer",
                exception);
            TryMark(shard, StateMark.Damaged);
        },
    };

    /// <summary>Opens the file of a shard, closing the one that was open.</summary>
    public CheckpointFile Open(ShardId shard)
    {
        lock (_gate)
        {
            _files[shard.Value]?.Dispose();
            return _files[shard.Value] = CheckpointFile.OpenOrCreate(_disk, PathOf(shard), new CheckpointOptions { LogReserveBytes = _logReserveBytes });
        }
    }

    /// <summary>Whether what a shard's file holds was found damaged or wrong: nothing of it is used again without being read.</summary>
    public bool NeedsRepair(ShardId shard)
    {
        lock (_gate) return _needRepair[shard.Value];
    }

    /// <inheritdoc cref="NeedsRepair"/>
    public void SetNeedsRepair(ShardId shard)
    {
        lock (_gate) _needRepair[shard.Value] = true;
    }

    /// <summary>
    /// Any thread: something was found wrong just now, and the next start has to look. False, and told in the log, when the disk has no room for
    /// a name: whoever goes on tries again. Any other failure throws, and the process must stop.
    /// </summary>
    public bool TryMark(ShardId shard, StateMark mark)
    {
        lock (_marking)
        {
            _found.Add((shard, mark));
            if (_marked.Contains((shard, mark))) return true;
            if (!mark.TrySet(this, shard))
            {
                _log.Error($"shard {shard}: {mark.PathIn(DirectoryOf(shard))} cannot be made, the disk is full");
                return false;
            }

            _marked.Add((shard, mark));
            return true;
        }
    }

    /// <summary>Before the loops start: every page was read just now, and no checkpoint is left that has a damaged one.</summary>
    public void AllRead(ShardId shard)
    {
        lock (_marking)
        {
            _found.Remove((shard, StateMark.Damaged));
            _marked.Remove((shard, StateMark.Damaged));
        }
    }

    /// <summary>
    /// A shard's newest checkpoint has taken the place of what earlier processes found damaged or wrong. What this one found since it started
    /// may be part of it: that stays marked.
    /// </summary>
    public void Repaired(ShardId shard)
    {
        bool forgets;
        lock (_gate)
        {
            forgets = _agreedSince[shard.Value] || _needRepair[shard.Value];
            _needRepair[shard.Value] = false;
            _agreedSince[shard.Value] = false;
            if (forgets) _again[shard.Value] = null;
        }

        lock (_marking)
        {
            if (forgets) AgainMark.Clear(_disk, DirectoryOf(shard));
            if (!_found.Contains((shard, StateMark.Repair))) StateMark.Repair.Clear(this, shard);
            if (!_found.Contains((shard, StateMark.Damaged))) StateMark.Damaged.Clear(this, shard);
        }
    }

    /// <summary>
    /// Before anything is loaded: where the state was in doubt the log is applied again from the checkpoint that the mark names. Its index, or
    /// null without a mark.
    /// </summary>
    public LogIndex? GoBack(ShardId shard)
    {
        LogIndex? again = AgainMark.Read(_disk, DirectoryOf(shard));
        lock (_gate) _again[shard.Value] = again;
        CheckpointFile file = this[shard];
        while (again is { } index && file.Newest?.Index > index && file.TryGoBack())
        {
        }

        return again;
    }

    /// <summary>The log was applied again since the last time that a majority agreed on a checkpoint: once more would tell nothing new.</summary>
    public bool WentBack(ShardId shard)
    {
        lock (_gate) return _again[shard.Value] is not null;
    }

    /// <summary>The next start goes back to this checkpoint. False when the disk has no room for the mark.</summary>
    public bool TryMarkAgain(ShardId shard, LogIndex index)
    {
        lock (_marking) return AgainMark.TrySet(_disk, DirectoryOf(shard), index);
    }

    /// <summary>A majority agrees with the checkpoint at this index: when it is a later one than the node went back to, its mark goes with the next.</summary>
    public void Agreed(ShardId shard, LogIndex index)
    {
        lock (_gate) _agreedSince[shard.Value] |= _again[shard.Value] < index;
    }

    /// <summary>Whether a checkpoint is one of the two that the file keeps without a reader.</summary>
    public bool Keeps(ShardId shard, LogIndex index)
    {
        lock (_gate) return _files[shard.Value] is { } file && (file.Newest?.Index == index || file.Older?.Index == index);
    }

    /// <summary>While the state of a shard is in doubt nobody takes it over: who did could not be asked any more which one is right.</summary>
    public void SetInDoubt(ShardId shard, bool inDoubt)
    {
        lock (_gate) _inDoubt[shard.Value] = inDoubt;
    }

    /// <summary>A reader of a shard's newest checkpoint, or null when there is none or its state is in doubt.</summary>
    public CheckpointReader? OpenReader(ShardId shard)
    {
        lock (_gate) return _inDoubt[shard.Value] ? null : _files[shard.Value]?.OpenReader();
    }

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (CheckpointFile? file in _files) file?.Dispose();
        }
    }
}
