using RaftQueue.Consensus;
using RaftQueue.Primitives;

namespace RaftQueue.Storage;

/// <summary>
/// The one log of a node, for all its shards: whatever is queued while a write is under way becomes the next gather write
/// and the next fdatasync, without a timer. Appending, releasing and reading are for the shards' replica loops (any thread,
/// one thread a shard); <see cref="RunOnce"/> is the log's own loop. A <see cref="DiskException"/> that leaves
/// <see cref="RunOnce"/> means that nothing more may be believed: the process stops.
/// </summary>
public sealed class WriteAheadLog : ILoopBody, IDisposable
{
    /// <summary>Quorum-memory: written entries are synced after this time at the latest.</summary>
    private const long MemorySyncMicroseconds = 40_000;

    private const long FullRetryMicroseconds = 100_000;

    private const long Never = ILoopBody.Never;

    private readonly IClock _clock;
    private readonly WalOptions _options;
    private readonly IDisposable? _lock;
    private readonly SegmentStore _segments;
    private readonly HardStateFile _hardStates;
    private readonly ShardLog[] _logs;
    private readonly RecoveredShard[] _recovered;
    private readonly WalWriter _writer;
    private readonly List<WalOperation> _hardStateOperations = [];
    private bool _stopped;
    private bool _reportedFull;
    private long _runningSince;

    private readonly Lock _queueGate = new();
    private List<WalOperation> _queued = [];
    private List<WalOperation> _taken = [];
    private IWalListener? _listener;
    private Action? _wake;

    private WriteAheadLog(
        IClock clock, WalOptions options, RecoveredLog log, HardStateFile hardStates, RecoveredShard[] recovered, IDisposable? directoryLock)
    {
        _clock = clock;
        _options = options;
        _lock = directoryLock;
        _segments = log.Store;
        _hardStates = hardStates;
        _recovered = recovered;
        _logs = [.. log.Shards.Select((shard, number) =>
            new ShardLog(new ShardId((ushort)number), shard.Slots, log.Store, options.CacheBytesPerShard))];
        _writer = new WalWriter(clock, log, _logs, options.SegmentBytes);
        Preparation = new SegmentPreparation(_segments, clock, () => _wake?.Invoke());
    }

    /// <summary>
    /// The body of another loop, which keeps segments ready: see <see cref="Attach"/>. Without it the log makes them itself, when it needs one.
    /// </summary>
    public ILoopBody Preparation { get; }

    /// <summary>What the log's loop is at. Set before it runs.</summary>
    public LoopMeter? Meter
    {
        get => _writer.Meter;
        set => _writer.Meter = value;
    }

    /// <summary>
    /// True while a segment beside the reserve cannot be allocated: refuse new work, finish and trim. Safe from any thread.
    /// </summary>
    public bool IsFull => _segments.IsFull;

    /// <summary>Between slices: damage to any entry that was written is found by the next start, and not taken for a torn tail.</summary>
    internal bool IsMarked => _writer.IsMarked;

    /// <summary>
    /// Where an entry stands: its segment's path, null before it is written, with offset and bytes there; null for one that the log does
    /// not hold. Safe from any thread.
    /// </summary>
    internal (string? Path, int Offset, int Bytes)? PlaceOf(ShardId shard, LogIndex index) => _logs[shard.Value].SlotAt(index) is not { } slot
        ? null
        : (slot.Place.Segment == 0 ? null : _segments.PathOf(slot.Place.Segment), slot.Place.Offset, slot.Bytes);

    /// <summary>Monotonic time in microseconds at which the oldest call that is not durable yet was made; 0 when there is none.</summary>
    public long OldestUnsyncedMicroseconds
    {
        get
        {
            long running = Interlocked.Read(ref _runningSince);
            if (running != 0) return running;
            lock (_queueGate)
            {
                return _queued.Count > 0 ? _queued[0].EnqueuedAt : Interlocked.Read(ref _runningSince);
            }
        }
    }

    /// <summary>
    /// Opens or makes the log of a data directory. When it returns, all that can be read is durable. Throws
    /// <see cref="StorageDamagedException"/> only for what no peer can repair in place, <see cref="DiskException"/> when the
    /// disk refuses, <see cref="DirectoryInUseException"/> when another process has the directory.
    /// </summary>
    public static WriteAheadLog Open(IDisk disk, IClock clock, string directory, WalOptions options)
    {
        Invariant.That(options is { Shards: >= 1 and <= ushort.MaxValue, ReserveSegments: >= 1 }, "a log has shards and a reserve");
        Invariant.That(
            options.SegmentBytes % WalFormat.BlockBytes == 0 && options.SegmentBytes is >= WalFormat.LeastSegmentBytes and <= 1 << 30,
            "segments are whole blocks, and offsets in them 32 bits");
        IDisposable? directoryLock = (disk as IDirectoryLocker)?.LockDirectory(directory);
        RecoveredLog? log = null;
        HardStateFile? hardStates = null;
        try
        {
            disk.CreateDirectory(directory);
            string walDirectory = WalFormat.WalDirectory(directory);
            bool isNew = !NodeIdentityFile.Exists(disk, directory)
                && !disk.ListFiles(walDirectory).Any(name => SegmentHeader.SequenceOf(name) is not null);
            hardStates = HardStateFile.Open(disk, directory, options.Shards, isNew);
            log = Recovery.Run(disk, clock, walDirectory, options);
            hardStates.Settle(log.WasEmpty);
            var recovered = new RecoveredShard[options.Shards];
            for (int shard = 0; shard < options.Shards; shard++)
            {
                recovered[shard] = Describe(log, hardStates, shard);
            }

            return new WriteAheadLog(clock, options, log, hardStates, recovered, directoryLock);
        }
        catch
        {
            log?.Store.Dispose();
            hardStates?.Dispose();
            directoryLock?.Dispose();
            throw;
        }
    }

    /// <summary>Before the loops run: who is told, and how the log's loop and that of <see cref="Preparation"/> are woken.</summary>
    public void Attach(IWalListener listener, Action wake, Action wakePreparation)
    {
        _listener = listener;
        _wake = wake;
        _segments.SparesChanged = wakePreparation;
    }

    /// <summary>What <see cref="Open"/> found of a shard.</summary>
    public RecoveredShard Recovered(ShardId shard) => _recovered[shard.Value];

    /// <summary>Reads of a shard's entries; queued ones are visible at once. Safe from any thread.</summary>
    public IStoredLog Log(ShardId shard) => _logs[shard.Value];

    /// <summary>The last entry of a shard that is certainly on the medium. Safe from any thread.</summary>
    public LogIndex DurableIndex(ShardId shard) => _writer.DurableIndex(shard);

    /// <summary>Segments that cannot be recycled because of this shard; above 4 it should take a checkpoint. Safe from any thread.</summary>
    public int SegmentsPinnedBy(ShardId shard) => _writer.PinnedBy(shard);

    /// <summary>Queues contiguous entries; they supersede all of the shard from the first one's index on. The list is copied.</summary>
    public void Append(ShardId shard, IReadOnlyList<LogEntry> entries)
    {
        if (entries.Count == 0) return;
        var copy = new LogEntry[entries.Count];
        for (int index = 0; index < copy.Length; index++)
        {
            LogEntry entry = entries[index];
            Invariant.That(entry.Header.Shard == shard, "an entry belongs to its shard's log");
            Invariant.That(index == 0 || entry.Index == copy[index - 1].Index.Next, "entries to append are contiguous");
            Invariant.That(entry.SizeBytes <= _writer.LargestEntry, "an entry fits in a segment");
            copy[index] = entry;
        }

        LogPosition before = _logs[shard.Value].Append(copy);
        Enqueue(new WalOperation(WalOperationKind.Append, shard, _clock.MonotonicMicroseconds) { Entries = copy, Position = before });
    }

    /// <summary>Queues a hard state: written to both copies, each synced, and reported in the order of the calls.</summary>
    public void SaveHardState(ShardId shard, HardState state) =>
        Enqueue(new WalOperation(WalOperationKind.HardState, shard, _clock.MonotonicMicroseconds) { HardState = state });

    /// <summary>
    /// Entries up to <paramref name="upTo"/> are covered by a durable checkpoint: they cannot be read any more and their
    /// segments may be recycled. More than the log holds releases all it holds.
    /// </summary>
    public void Release(ShardId shard, LogIndex upTo)
    {
        if (_logs[shard.Value].Release(upTo) is not { } released) return;
        Enqueue(new WalOperation(WalOperationKind.Release, shard, _clock.MonotonicMicroseconds) { Position = released });
    }

    /// <summary>
    /// A received checkpoint is durable: the log begins after <paramref name="index"/>. Entries behind it stay when the log
    /// holds that very entry, else all go. <paramref name="floor"/>: where a log ended whose entries are given up; it is as durable as the
    /// restart, and told at every start as the vote floor, until the log ends there again.
    /// </summary>
    public void RestartAt(ShardId shard, LogIndex index, Term term, (Term Term, LogIndex Index)? floor = null)
    {
        var position = new LogPosition(term, index);
        if (!_logs[shard.Value].RestartAt(position))
        {
            Invariant.That(floor is null, "a log that is given up does not hold what it restarts behind");
            Release(shard, index);
            return;
        }

        Enqueue(new WalOperation(WalOperationKind.Restart, shard, _clock.MonotonicMicroseconds)
        {
            Position = position,
            Floor = floor is { } end ? new LogPosition(end.Term, end.Index) : default,
        });
    }

    public long RunOnce()
    {
        Invariant.That(!_stopped, "nothing runs after the disk has failed");
        _stopped = true;
        Meter?.Begin(LoopPhase.Inputs);
        long next = RunSlice();
        Meter?.End();
        _stopped = false;
        return next;
    }

    /// <summary>Closes the files. What is queued and not written is lost, as by a crash.</summary>
    public void Dispose()
    {
        _segments.Dispose();
        _hardStates.Dispose();
        _lock?.Dispose();
    }

    private static RecoveredShard Describe(RecoveredLog log, HardStateFile hardStates, int number)
    {
        ReplayedShard shard = log.Shards[number];
        HardState? state = hardStates.Get(new ShardId((ushort)number));
        var report = new List<string>();
        if (hardStates.Damage is { } damage) report.Add(damage);
        report.AddRange(log.Damages.Select(found => found.ToString()));
        if (shard.IsDamaged)
        {
            report.Add($"shard {number}: the log ended at {shard.Said.Last}, whole entries end at {shard.Slots.Last}");
        }

        (Term, LogIndex)? floor = shard.Floor.IsZero ? null : (shard.Floor.Term, shard.Floor.Index);
        LogPosition last = shard.Slots.Last;
        return new RecoveredShard(
            state, floor, shard.Slots.FirstIndex, last.Index, last.Term, report.Count == 0 ? null : string.Join("; ", report));
    }

    private void Enqueue(WalOperation operation)
    {
        lock (_queueGate)
        {
            _queued.Add(operation);
        }

        _wake?.Invoke();
    }

    private long RunSlice()
    {
        TakeQueued();
        SaveHardStates();
        bool wrote = _writer.WriteBatch();
        if (wrote)
        {
            if (_options.SyncBeforeReply) _writer.Sync();
            _writer.ReportPersisted(_listener);
        }

        long now = _clock.MonotonicMicroseconds;
        if (!_writer.IsSynced) SyncWhenDue(now);

        // No segment for what waits: a mark with the newest releases may free one.
        bool again = wrote || (_writer.HasPending && _writer.ReleaseWaits && _writer.WriteMark());
        _writer.Trim();
        NoteRunning();
        ReportFull();
        if (_writer.HasPending) return again ? now : now + FullRetryMicroseconds;
        return HasQueued() ? now : Idle(now);
    }

    private bool HasQueued()
    {
        lock (_queueGate)
        {
            return _queued.Count > 0;
        }
    }

    private void TakeQueued()
    {
        lock (_queueGate)
        {
            if (_queued.Count == 0) return;
            (_queued, _taken) = (_taken, _queued);
            if (Interlocked.Read(ref _runningSince) == 0) Interlocked.Exchange(ref _runningSince, _taken[0].EnqueuedAt);
        }

        foreach (WalOperation operation in _taken)
        {
            if (operation.Kind == WalOperationKind.HardState)
            {
                _hardStateOperations.Add(operation);
            }
            else
            {
                _writer.Add(operation);
            }
        }

        _taken.Clear();
    }

    /// <summary>
    /// Hard states go first, also before entries queued earlier: a newer term beside an older log is what a lost message
    /// leaves too, while entries of a term that the node does not know of must never be.
    /// </summary>
    private void SaveHardStates()
    {
        if (_hardStateOperations.Count == 0) return;
        Meter?.Enter(LoopPhase.HardStates);
        foreach (WalOperation operation in _hardStateOperations)
        {
            _hardStates.Set(operation.Shard, operation.HardState);
        }

        _hardStates.Save();
        foreach (WalOperation operation in _hardStateOperations)
        {
            _listener?.HardStatePersisted(operation.Shard, operation.HardState);
        }

        _hardStateOperations.Clear();
    }

    private long Idle(long now)
    {
        long next = Never;
        if (!_writer.IsSynced) next = Math.Min(next, SyncWhenDue(now));
        if (_writer.IsSynced && _writer.MarkWanted) next = Math.Min(next, MarkWhenDue(now));
        _writer.Trim();
        NoteRunning();
        ReportFull();
        return next;
    }

    private long SyncWhenDue(long now)
    {
        long syncAt = _writer.UnsyncedSince + MemorySyncMicroseconds;
        if (now < syncAt) return syncAt;
        _writer.Sync();
        return Never;
    }

    private long MarkWhenDue(long now)
    {
        long markAt = _writer.LastBatchAt + (_options.SyncMarkIdleMs * 1000);
        if (now < markAt) return markAt;
        return _writer.WriteMark() ? Never : now + FullRetryMicroseconds;
    }

    private void NoteRunning() => Interlocked.Exchange(ref _runningSince, _writer.OldestSince());

    private void ReportFull()
    {
        bool full = IsFull;
        if (full == _reportedFull || _listener is null) return;
        _reportedFull = full;
        _listener.DiskFullChanged(full);
    }
}
