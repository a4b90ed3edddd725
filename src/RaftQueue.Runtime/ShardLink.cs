using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>
/// What the apply loop publishes of one shard for the replica loop and for status pages. Each value is written by the apply
/// loop only and read by anyone; values are newest-wins, never a protocol.
/// </summary>
internal sealed class ShardLink
{
    private volatile ShardView? _view;
    private volatile TransferStatus? _transfer;
    private volatile MendingStatus? _mending;
    private readonly Lock _hashGate = new();
    private long _appliedIndex;
    private long _nextDueMs = long.MaxValue;
    private long _namedCheckpointIndex;
    private long _appliedMicroseconds;
    private int _flags;
    private long _longestCheckpointPause;
    private long _fetchedBytes;
    private long _mendedPages;
    private volatile CheckpointStatus _checkpoint = new(LogIndex.Zero, 0, 0, 0, 0, 0, 0);
    private (LogIndex Index, ulong Hash) _hash;
    private PageCounters _pages;

    [Flags]
    private enum Flag
    {
        HasDueWork = 1,
        SettingsDiffer = 2,
    }

    public LogIndex AppliedIndex
    {
        get => new(Volatile.Read(ref _appliedIndex));
        set => Volatile.Write(ref _appliedIndex, value.Value);
    }

    /// <summary>When the earliest timer of the state falls due, Unix ms of cluster time.</summary>
    public long NextDueMs
    {
        get => Volatile.Read(ref _nextDueMs);
        set => Volatile.Write(ref _nextDueMs, value);
    }

    /// <summary>The newest checkpoint position that was applied.</summary>
    public LogIndex NamedCheckpointIndex
    {
        get => new(Volatile.Read(ref _namedCheckpointIndex));
        set => Volatile.Write(ref _namedCheckpointIndex, value.Value);
    }

    /// <summary>How long applying took since the newest checkpoint position: about what a restart would take to do it again.</summary>
    public long AppliedMicroseconds
    {
        get => Volatile.Read(ref _appliedMicroseconds);
        set => Volatile.Write(ref _appliedMicroseconds, value);
    }

    /// <summary>The last tick stopped at its bound: more is due already.</summary>
    public bool HasDueWork => (Volatile.Read(ref _flags) & (int)Flag.HasDueWork) != 0;

    /// <summary>The replicated settings are not this node's: it writes its own when it leads.</summary>
    public bool SettingsDiffer => (Volatile.Read(ref _flags) & (int)Flag.SettingsDiffer) != 0;

    public void SetFlags(bool hasDueWork, bool settingsDiffer) =>
        Volatile.Write(ref _flags, (hasDueWork ? (int)Flag.HasDueWork : 0) | (settingsDiffer ? (int)Flag.SettingsDiffer : 0));

    /// <summary>What the replica loop published last.</summary>
    public ShardView? View
    {
        get => _view;
        set => _view = value;
    }

    /// <summary>What the state's pages take and cost.</summary>
    public PageCounters Pages
    {
        get
        {
            lock (_hashGate) return _pages;
        }

        set
        {
            lock (_hashGate) _pages = value;
        }
    }

    /// <summary>How far fetching a checkpoint is; null while none is fetched. Written by whoever has the transfer in hand.</summary>
    public TransferStatus? Transfer
    {
        get => _transfer;
        set => _transfer = value;
    }

    /// <summary>How far getting damaged pages back is; null while none is known. Replica loop.</summary>
    public MendingStatus? Mending
    {
        get => _mending;
        set => _mending = value;
    }

    /// <summary>The longest time for which a checkpoint held up applying.</summary>
    public long LongestCheckpointPauseMicroseconds
    {
        get => Volatile.Read(ref _longestCheckpointPause);
        set => Volatile.Write(ref _longestCheckpointPause, value);
    }

    /// <summary>What checkpoints cost.</summary>
    public CheckpointStatus Checkpoint => _checkpoint with
    {
        LongestPauseMicroseconds = LongestCheckpointPauseMicroseconds,
        FetchedBytes = Interlocked.Read(ref _fetchedBytes),
        MendedPages = Interlocked.Read(ref _mendedPages),
    };

    /// <summary>Checkpoint loop: one was written.</summary>
    public void CheckpointWritten(LogIndex index, long microseconds, long bytes, long fileBytes) =>
        _checkpoint = new CheckpointStatus(index, microseconds, bytes, fileBytes, 0, 0, 0);

    /// <summary>Whoever has the transfer in hand: it is over.</summary>
    public void Fetched(long bytes) => Interlocked.Add(ref _fetchedBytes, bytes);

    /// <summary>Replica loop: so many damaged pages are whole again.</summary>
    public void Mended(long pages) => Interlocked.Add(ref _mendedPages, pages);

    public (LogIndex Index, ulong Hash) StateHash
    {
        get
        {
            lock (_hashGate) return _hash;
        }

        set
        {
            lock (_hashGate) _hash = value;
        }
    }
}
