using RaftQueue.MessagePack;
using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs;

/// <summary>
/// The job state of one shard: a pure function of the log, kept in pages. Single-threaded: only the apply loop calls it.
/// </summary>
public sealed class JobStore
{
    private readonly PageStore _pages;

    private JobStore(PageStore pages, ShardId shard)
    {
        _pages = pages;
        Shard = shard;
    }

    public ShardId Shard { get; }

    public LogIndex AppliedIndex { get; private set; }

    public Term AppliedTerm { get; private set; }

    /// <summary>The stamp of the last entry, Unix ms; never falls.</summary>
    public long LastTimestampMs { get; private set; }

    /// <summary>Hash of all entries so far and what became of their commands; equal on all nodes at one index.</summary>
    public ulong StateHash { get; private set; }

    /// <summary>When the earliest timer of any kind is due, Unix ms; <see cref="long.MaxValue"/> when there is none.</summary>
    public long NextDueMs => long.MaxValue;

    /// <summary>More is due at <see cref="LastTimestampMs"/> than one entry may fire: propose a tick at once.</summary>
    public bool HasDueWork => NextDueMs <= LastTimestampMs;

    public ReplicatedSettings Settings { get; private set; } = new();

    /// <summary>An empty state in a page store that was just created.</summary>
    public static JobStore Create(PageStore pages, ShardId shard) => new(pages, shard);

    /// <summary>The state in pages that came from a checkpoint.</summary>
    public static JobStore Open(PageStore pages) => new(pages, default);

    /// <summary>Applies one whole entry, header included; its index is the next one.</summary>
    public void Apply(in EntryHeader header, ReadOnlySpan<byte> entryBytes, ApplyOutput output)
    {
        ArgumentNullException.ThrowIfNull(output);
        Invariant.That(header.Index == AppliedIndex.Next, "entries are applied one after the other");
        AppliedIndex = header.Index;
        AppliedTerm = header.Term;
        LastTimestampMs = Math.Max(LastTimestampMs, header.TimestampMs);
        StateHash = Crc32C.Append((uint)StateHash, entryBytes);
    }

    /// <summary>The state hash right after an entry; kept for the last 100,000, lost at a restart.</summary>
    public bool TryStateHashAt(LogIndex index, out ulong hash)
    {
        hash = StateHash;
        return index == AppliedIndex;
    }

    /// <summary>Writes the job as a <see cref="Views.JobView"/>. False and nothing written when there is no such job.</summary>
    public bool TryWriteJob(in JobId id, bool withPayload, in MessagePackWriter writer) => false;

    /// <summary>Whether the job is succeeded, dead or cancelled; false as well when <paramref name="exists"/> is false.</summary>
    public bool IsFinished(in JobId id, out bool exists)
    {
        exists = false;
        return false;
    }

    /// <summary>Whether a lease request on this queue with this pull-ahead would get a job now.</summary>
    public bool CanLease(ReadOnlySpan<byte> queueName, long pullAheadMs) => false;

    /// <summary>Ready jobs of the queue; 0 for an unknown one.</summary>
    public long ReadyCount(ReadOnlySpan<byte> queueName) => 0;

    /// <summary>Writes the queue as a <see cref="Views.QueueView"/>. False and nothing written when there is no such queue.</summary>
    public bool TryWriteQueue(ReadOnlySpan<byte> name, in MessagePackWriter writer) => _pages is null;

    /// <summary>
    /// Writes up to <paramref name="limit"/> queues behind <paramref name="afterName"/> (empty: from the first) in ordinal order,
    /// one <see cref="Views.QueueView"/> after the other, and returns how many.
    /// </summary>
    public int WriteQueues(ReadOnlySpan<byte> afterName, int limit, in MessagePackWriter writer) => 0;
}
