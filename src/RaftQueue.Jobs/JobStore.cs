using RaftQueue.Jobs.State;
using RaftQueue.Jobs.Structures;
using RaftQueue.MessagePack;
using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs;

/// <summary>
/// The job state of one shard: a pure function of the log, kept in pages. Single-threaded: only the apply loop calls it.
/// Whatever has a time (leases, schedules, expiry, windows, retention) is over when that time is not after the stamp of the
/// entry that asks; timers only carry it out, at most <see cref="JobLimits.TimersPerEntry"/> an entry.
/// </summary>
public sealed partial class JobStore : IDisposable
{
    private readonly PageStore _pages;
    private readonly RootPage _root;
    private readonly Timers _timers;
    private readonly JobTable _jobs;
    private readonly UniqueKeys _keys;
    private readonly IdempotencyKeys _idempotency;
    private readonly QueueTable _queues;
    private readonly RequestWindows _requests;
    private readonly DerivedKey _derivedKey = new();
    private readonly StateHashes _hashes = new();

    private const int MaxCountedAhead = 4_096; // some 20 pages

    private JobStore(PageStore pages, RootPage root)
    {
        _pages = pages;
        _root = root;
        var blobs = new BlobStore(pages, PageNumber.Root, RootPage.BlobsHeader);
        _timers = new Timers(new OrderedTree(pages, PageNumber.Root, RootPage.TimersHeader));
        _jobs = new JobTable(pages, PageNumber.Root, RootPage.JobsHeader, blobs);
        _keys = new UniqueKeys(new HashIndex(pages, PageNumber.Root, RootPage.UniqueKeysHeader), _jobs);
        _idempotency = new IdempotencyKeys(
            new RecordSlab(pages, PageNumber.Root, RootPage.IdempotencyHeader, IdempotencyRecord.RecordSize),
            new HashIndex(pages, PageNumber.Root, RootPage.IdempotencyIndexHeader),
            blobs,
            _timers);
        _queues = new QueueTable(pages, blobs);
        _requests = new RequestWindows(pages, new PageNumber(root.RequestsPage));
        Shard = new ShardId(root.Shard);
        _ack = Ack;
        _nack = Nack;
        _extend = Extend;
        _release = Release;
        _reschedule = Reschedule;
        _revoke = Revoke;
    }

    public ShardId Shard { get; }

    public LogIndex AppliedIndex => new(_root.AppliedIndex);

    public Term AppliedTerm => new(_root.AppliedTerm);

    /// <summary>Grows while work goes on, also within one entry: who sees it stand still sees a call that hangs. Any thread.</summary>
    public long Headway => _jobs.Touched;

    /// <summary>The stamp of the last entry, Unix ms; never falls.</summary>
    public long LastTimestampMs => _root.LastTimestampMs;

    /// <summary>Hash of all entries so far and what became of their commands; equal on all nodes at one index.</summary>
    public ulong StateHash => _root.StateHash;

    /// <summary>When the earliest timer of any kind is due, Unix ms; <see cref="long.MaxValue"/> when there is none.</summary>
    public long NextDueMs => _timers.NextMs;

    /// <summary>More is due at <see cref="LastTimestampMs"/> than one entry may fire: propose a tick at once.</summary>
    public bool HasDueWork => NextDueMs <= LastTimestampMs;

    public ReplicatedSettings Settings { get; private set; } = new();

    /// <summary>Records of jobs, those included that only hold a unique key.</summary>
    public long JobCount => _jobs.Count;

    /// <summary>Idempotency keys that are remembered.</summary>
    public long IdempotencyKeyCount => _idempotency.Count;

    /// <summary>An empty state in a page store that was just created.</summary>
    public static JobStore Create(PageStore pages, ShardId shard)
    {
        ArgumentNullException.ThrowIfNull(pages);
        RootPage root = RootPage.Create(pages, shard);
        root.Save(pages, new ReplicatedSettings());
        return new JobStore(pages, root);
    }

    /// <summary>The state in pages that came from a checkpoint.</summary>
    public static JobStore Open(PageStore pages)
    {
        ArgumentNullException.ThrowIfNull(pages);
        RootPage root = RootPage.Open(pages, out ReplicatedSettings settings);
        var store = new JobStore(pages, root) { Settings = settings };
        store._keys.Seed(root.HashSeed);
        store._queues.Open(root.QueueDirectoryPage);
#if PLANTED_BUGS
        if (PlantedBugs.Has(PlantedBug.DedupLostFromCheckpoint)) store._requests.Forget();
#endif
        return store;
    }

    /// <summary>
    /// Whether a root page, of which nothing else is known, says that it is of job state of this shard right after an entry.
    /// </summary>
    public static bool IsStateAt(ReadOnlySpan<byte> rootPage, ShardId shard, LogIndex index, ulong stateHash) =>
        RootPage.IsStateAt(rootPage, shard, index, stateHash);

    /// <summary>The state hash right after an entry; kept for the last 100,000, lost at a restart.</summary>
    public bool TryStateHashAt(LogIndex index, out ulong hash) => _hashes.TryGet(index, AppliedIndex, out hash);

    /// <summary>Writes the job as a <see cref="Views.JobView"/>. False and nothing written when there is no such job.</summary>
    /// <param name="id">Any id, also a made-up one.</param>
    /// <param name="withPayload">With payload, tags and headers.</param>
    /// <param name="writer">Where to.</param>
    public bool TryWriteJob(in JobId id, bool withPayload, in MessagePackWriter writer)
    {
        _pages.BeginStep();
        if (!TryFind(id, out JobRecord job)) return false;
        WriteJob(writer, id.Slot, job, withPayload);
        return true;
    }

    /// <summary>Whether the job is succeeded, dead or cancelled; false as well when <paramref name="exists"/> is false.</summary>
    public bool IsFinished(in JobId id, out bool exists)
    {
        exists = TryFind(id, out JobRecord job);
        return exists && job.State.IsFinished();
    }

    /// <summary>Whether a lease request on this queue with this pull-ahead would get a job now, after others took some.</summary>
    /// <param name="queueName">UTF-8; an unknown queue has no job.</param>
    /// <param name="pullAheadMs">Counted from the time of the last entry.</param>
    /// <param name="taken">How many others are about to take. The cost grows with it: beyond a few thousand the answer is no.</param>
    public bool CanLease(ReadOnlySpan<byte> queueName, long pullAheadMs, long taken = 0)
    {
        QueueState? queue = _queues.Find(queueName);
        if (queue is null) return false;
        if (taken > 0)
        {
            long missing = taken + 1 - queue.Count(JobState.Ready);
            if (missing is <= 0 or > MaxCountedAhead) return missing <= 0;
            return queue.Scheduled.CountDue(LastTimestampMs + pullAheadMs, (int)missing) == missing;
        }

        return queue.Count(JobState.Ready) > 0
            || queue.Scheduled.HasDue(LastTimestampMs + pullAheadMs)
            || queue.Retries.HasDue(LastTimestampMs);
    }

    /// <summary>Whether a request under this idempotency key would be told now what its first one did, or that it conflicts.</summary>
    public bool Remembers(scoped in Commands.CommandEnvelope envelope) =>
        envelope.HasKey && _idempotency.TryFind(envelope, out _, out IdempotencyRecord record) && record.ExpiresAt > LastTimestampMs;

    /// <summary>Ready jobs of the queue; 0 for an unknown one.</summary>
    public long ReadyCount(ReadOnlySpan<byte> queueName) => _queues.Find(queueName)?.Count(JobState.Ready) ?? 0;

    /// <summary>Writes the queue as a <see cref="Views.QueueView"/>. False and nothing written when there is no such queue.</summary>
    public bool TryWriteQueue(ReadOnlySpan<byte> name, in MessagePackWriter writer)
    {
        _pages.BeginStep();
        if (_queues.Find(name) is not { } queue) return false;
        WriteQueue(writer, queue);
        return true;
    }

    /// <summary>
    /// Writes up to <paramref name="limit"/> queues behind <paramref name="afterName"/> (empty: from the first) in ordinal order,
    /// one <see cref="Views.QueueView"/> after the other, and returns how many.
    /// </summary>
    public int WriteQueues(ReadOnlySpan<byte> afterName, int limit, in MessagePackWriter writer)
    {
        _pages.BeginStep();
        int first = _queues.IndexAfter(afterName);
        int count = Math.Max(0, Math.Min(limit, _queues.Count - first));
        for (int i = 0; i < count; i++) WriteQueue(writer, _queues[first + i]);
        return count;
    }

#if PLANTED_BUGS
    public void ForgetLastIndex() => _root.AppliedIndex--;

#endif
    /// <summary>Gives buffers back. The pages are the caller's.</summary>
    public void Dispose()
    {
        _derivedKey.Dispose();
        _body.Dispose();
        _merged.Dispose();
    }

    private bool TryFind(in JobId id, out JobRecord job)
    {
        job = default;
        return id.Shard == Shard && _jobs.TryLoad(id.Slot, id.Sequence, out job) && !job.Has(JobFlags.Ghost);
    }
}
