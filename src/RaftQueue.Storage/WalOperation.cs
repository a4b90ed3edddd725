using RaftQueue.Consensus;
using RaftQueue.Primitives;

namespace RaftQueue.Storage;

/// <summary>One call that waits for the log's loop.</summary>
internal sealed class WalOperation(WalOperationKind kind, ShardId shard, long enqueuedAt)
{
    public WalOperationKind Kind { get; } = kind;

    public ShardId Shard { get; } = shard;

    /// <summary>Monotonic microseconds.</summary>
    public long EnqueuedAt { get; } = enqueuedAt;

    /// <summary>Append: the entries.</summary>
    public LogEntry[] Entries { get; init; } = [];

    /// <summary>Append: how many of them are in a batch already.</summary>
    public int Taken { get; set; }

    /// <summary>Append: the entry in front of the first that is not taken. Release and restart: the last entry not needed.</summary>
    public LogPosition Position { get; set; }

    /// <summary>Restart: the end of a log that is given up; zero when nothing has to be made good.</summary>
    public LogPosition Floor { get; init; }

    public HardState HardState { get; init; }
}
