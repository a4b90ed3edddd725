using RaftQueue.Consensus;
using RaftQueue.Jobs;
using RaftQueue.MessagePack;
using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>
/// One shard on the apply loop: its state, what waits for it to become newer, and the leases that wait for jobs. Members
/// that say so may be called from the replica loop; all others belong to the apply loop.
/// </summary>
internal sealed class ShardApply
{
    private const long SliceBytes = 512 * 1024;
    private const long SliceMicroseconds = 5_000;
    private const long FullDiskMicroseconds = 1_000_000;

    private static readonly LogIndex NoHold = new(long.MaxValue);

    private readonly NodeShared _node;
    private readonly ApplyLoop _loop;
    private readonly IStoredLog _log;
    private readonly CheckpointLoop _checkpoints;
    private readonly EvictionLoop _evictions;
    private readonly ApplyOutput _output;
    private readonly List<LogEntry> _entries = [];
    private readonly WaitingReads _reads;
    private LogIndex _holdBelow = NoHold;
    private long _committed;
    private readonly Action<bool> _tended;
    private long _tendNotBefore;
    private int _tending;
    private long _publishedDueMs = long.MaxValue;
    private (LogIndex Index, long At)? _replayFrom;

    public ShardApply(NodeShared node, ApplyLoop loop, (CheckpointLoop Checkpoints, EvictionLoop Evictions) pages, ShardId shard, ShardState state)
    {
        _node = node;
        _loop = loop;
        _log = node.Wal.Log(shard);
        (_checkpoints, _evictions) = pages;
        _evictions.Serve(state.Pages);
        state.Pages.Meter = node.ApplyMeter;
        _output = new ApplyOutput { Local = node.Incarnation };
        Shard = shard;
        State = state;
        _tended = Tended;
        _replayFrom = (state.Store.AppliedIndex, node.Clock.MonotonicMicroseconds);
        _reads = new WaitingReads(this, node);
        Leases = new LeaseWaiters(this, node);
        Watches = new JobWatches(this);
        Hashes = new StateHashAnswers(this, node);
        Publish();
    }

    public ShardId Shard { get; }

    public ShardLink Link { get; } = new();

    public ShardState State { get; private set; }

    public JobStore Store => State.Store;

    /// <summary>See <see cref="JobStore.Headway"/>. Any thread.</summary>
    public long Headway => State.Store.Headway;

    public LeaseWaiters Leases { get; }

    public JobWatches Watches { get; }

    public StateHashAnswers Hashes { get; }

    /// <summary>Reads that wait for the state to become newer.</summary>
    public int ReadsWaiting => _reads.Count;

    /// <summary>
    /// Not zero: the state began blank though this node held one; its log ended here. Nobody reads from it before it is there again. Set
    /// at the start.
    /// </summary>
    public LogIndex HeldUpTo { get; set; }

    /// <summary>Nothing is applied, or not again what this node held when it started: nobody is told of this state.</summary>
    public bool LacksState => Store.AppliedIndex < HeldUpTo || Store.AppliedIndex == LogIndex.Zero;

    /// <summary>Where reads write; one at a time.</summary>
    public PooledBuffer ReadBuffer { get; } = new(64 * 1024);

    /// <summary>The replica loop, once the node is put together.</summary>
    public ReplicaLoop? Replica { get; set; }

    /// <summary>Replica loop: entries up to here may be applied.</summary>
    public void Committed(LogIndex index)
    {
        Volatile.Write(ref _committed, index.Value);
        _loop.Wake();
    }

    /// <summary>Replica loop: confirmed reads, to be served from a state applied at least through <paramref name="index"/>.</summary>
    public void AddReads(List<PendingRead> reads, LogIndex index) => _loop.Post(() =>
    {
        foreach (PendingRead read in reads) _reads.Add(read, index);
    });

    /// <summary>Any thread: a read that waits for nothing. Of a state without a beginning it is told nothing that could be taken for true.</summary>
    public void ReadNow(PendingRead read) => _loop.Post(() =>
    {
        if (!LacksState || !read.TryGiveUp(ReadOutcome.WithoutState(Shard))) read.Execute(this);
    });

    /// <summary>Replica loop: the log here is as good as it was, and all of it is committed: this is what there is to read.</summary>
    public void HoldsAll(LogIndex index) => _loop.Post(() => HeldUpTo = LogIndex.Min(HeldUpTo, index));

    /// <summary>Replica loop: a lease request reached this node as the leader.</summary>
    public void LeaseArrived(
        NodeId originNode, Incarnation origin, ulong number, ReadOnlyMemory<byte> body, long waitUntilMicroseconds) =>
        _loop.Post(() => Leases.Arrive(originNode, origin, number, body, waitUntilMicroseconds));

    /// <summary>Replica loop: nobody waits for this lease request any more.</summary>
    public void CancelLease(Incarnation origin, ulong number) => _loop.Post(() => Leases.Cancel(origin, number));

    /// <summary>Replica loop: this peer's connection is gone; it registers its lease requests anew when it is back.</summary>
    public void PeerGone(NodeId peer) => _loop.Post(() => Leases.ForgetFrom(peer));

    /// <summary>Replica loop: nobody confirmed that a waiting lease request may be answered empty.</summary>
    public void LeaseUnconfirmed(LeaseWaiter waiter) => _loop.Post(() => Leases.Unconfirmed(waiter));

    /// <summary>Replica loop: this node leads <paramref name="term"/> now, or (zero) does not lead.</summary>
    public void LeadershipChanged(Term term, LeaderClock clock) => _loop.Post(() => Leases.LeadershipChanged(term, clock));

    /// <summary>Replica loop: a peer wants to compare state hashes at an index.</summary>
    public void HashAsked(NodeId peer, LogIndex index) => _loop.Post(() => Hashes.Asked(peer, index));

    /// <summary>
    /// Checkpoint loop: a state at <paramref name="index"/> is about to be installed; apply stays below it until then.
    /// Answers false on the apply loop when it is past it already.
    /// </summary>
    public void HoldBelow(LogIndex index, Action<bool> answer) => _loop.Post(() =>
    {
        bool holds = Store.AppliedIndex < index;
        if (holds) _holdBelow = index;
        answer(holds);
    });

    /// <summary>Checkpoint loop: nothing is going to be installed after all.</summary>
    public void Unhold() => _loop.Post(() => _holdBelow = NoHold);

    /// <summary>Replica loop: the state was fetched from a peer and is durable here, and consensus knows of it.</summary>
    public void Install(ShardState state) => _loop.Post(() => InstallNow(state));

    /// <summary>Applies some committed entries. True when more are waiting.</summary>
    public bool ApplySlice()
    {
        LogIndex committed = LogIndex.Min(new LogIndex(Volatile.Read(ref _committed)), _holdBelow.Previous);
        if (committed <= Store.AppliedIndex) return false;
        _entries.Clear();
        _node.ApplyMeter.Enter(LoopPhase.ReadsEntries);
        if (_log.Read(Store.AppliedIndex.Next, committed, SliceBytes, _entries) == 0)
        {
            // Committed entries that the log no longer holds are part of a checkpoint that is about to be installed.
            Invariant.That(_log.FirstIndex > Store.AppliedIndex.Next, "a committed entry can be read");
            return false;
        }

        // Cold pages make entries slow: reads and waiting leases have their turn in between all the same.
        long begin = _node.Clock.MonotonicMicroseconds;
        foreach (LogEntry entry in _entries)
        {
            Apply(entry);
            if (_node.Clock.MonotonicMicroseconds - begin >= SliceMicroseconds) break;
        }

        Link.AppliedMicroseconds += _node.Clock.MonotonicMicroseconds - begin;

        Publish();
        if (committed > Store.AppliedIndex) return true;
        if (_replayFrom is { } from) TellReplay(from);
        return false;
    }

    /// <summary>What was committed when the node started is applied: what of the start's time went into it.</summary>
    private void TellReplay((LogIndex Index, long At) from)
    {
        _replayFrom = null;
        long took = _node.Clock.MonotonicMicroseconds - from.At;
        PageCounters pages = State.Pages.Counters;
        _node.Log.Info(
            $"shard {Shard}: {Store.AppliedIndex.Value - from.Index.Value} entries applied to catch up, {took / 1000} ms after the state was opened;"
            + $" {pages.ColdReads} pages read, {pages.EvictionWaits} waits for pages to leave");
    }

    /// <summary>Runs what waited for the state; returns when it wants to run again, monotonic microseconds.</summary>
    public long Serve(long nowMicroseconds)
    {
        long reads = _reads.Serve(nowMicroseconds);
        Hashes.Serve();
        return Math.Min(reads, Math.Min(Leases.Serve(nowMicroseconds), Watches.Serve(nowMicroseconds)));
    }

    /// <summary>A checkpoint that ended left more to do than the last <see cref="TendPages"/> did.</summary>
    public bool HasMore => State.Pages.IsUnsettled;

    /// <summary>Looks after the memory of the state; whether it is short of space on the disk.</summary>
    public bool TendPages(long nowMicroseconds)
    {
        PageStore pages = State.Pages;
        bool due = pages.WantsTending && nowMicroseconds >= Volatile.Read(ref _tendNotBefore);
        if (due && Interlocked.CompareExchange(ref _tending, 1, 0) == 0) _checkpoints.Tend(State, _tended);
        pages.CollectAhead();
        // While new work is refused nothing else may come that asks for room.
        if (pages.IsShortOfSpace) pages.MakeRoomAgain();
        if (pages.IsUnsettled) Settle(pages);
        return pages.IsShortOfSpace;
    }

    /// <summary>Checkpoint loop. On a full disk it is tried again now and then.</summary>
    private void Tended(bool hasRoom)
    {
        if (!hasRoom) Volatile.Write(ref _tendNotBefore, _node.Clock.MonotonicMicroseconds + FullDiskMicroseconds);
        Volatile.Write(ref _tending, 0);
    }

    /// <summary>The node stops: nobody will be served any more.</summary>
    public void Abandon()
    {
        _reads.Abandon();
        Watches.Abandon();
    }

    private void Apply(LogEntry entry)
    {
        Invariant.That(entry.Index == Store.AppliedIndex.Next, "entries are applied in order, none twice");
        _output.Clear();
        _node.ApplyMeter.Enter(LoopPhase.Applies);
        Store.Apply(entry.Header, entry.Bytes.Span, _output);
        if (entry.Membership is { } membership) State.Membership = membership;
        _node.ApplyMeter.Enter(LoopPhase.Answers);
        foreach (CommandResult result in _output.Results) Answer(result);
        Leases.Applied(_output);
        Watches.Applied(_output);
        if (_output.CheckpointNamed) NameCheckpoint(entry);
    }

    private void Answer(in CommandResult result)
    {
        // A lease that found nothing keeps its place: the leader answers when the wait is over.
        if (result.Code == ResultCode.Empty) return;
        if (!_node.Replies.TryTake(result.RequestNumber, out PendingRequest? request))
        {
            if (result is { Type: CommandType.Lease, Code: ResultCode.Ok, Keyed: false }) GiveBack(result);
            return;
        }

        if (result.Code == ResultCode.DuplicateRequest)
        {
            request!.Complete(CommandOutcome.Unknown(Shard));
            return;
        }

        byte[] body = _output.Buffer.WrittenSpan.Slice(result.Offset, result.Length).ToArray();
        request!.Complete(CommandOutcome.Applied(Shard, result.Index, result.Code, body));
    }

    /// <summary>
    /// A grant that nobody here waits for any more: its request was answered as unknown, or granted twice across a change of
    /// leader. Grants from before this start of the node may be in use, and a keyed request's can be asked for again.
    /// </summary>
    private void GiveBack(in CommandResult result)
    {
        if (!_node.IsOfThisBoot(result.RequestNumber)) return;
        Replica!.Post(new RevokeGrants(Shard, _output.Buffer.WrittenSpan.Slice(result.Offset, result.Length).ToArray()));
    }

    private void NameCheckpoint(LogEntry entry)
    {
        Link.NamedCheckpointIndex = entry.Index;
        Link.AppliedMicroseconds = 0;
        Replica!.Post(new CheckpointNamed(Shard));
        // Pages of one that was given up may still be on their way back.
        if (State.Pages.IsFrozen || !_checkpoints.TryBegin(Shard)) return;
        long begin = _node.Clock.MonotonicMicroseconds;
        _node.ApplyMeter.Enter(LoopPhase.Checkpoint);
        var info = new CheckpointInfo
        {
            Shard = Shard,
            Index = entry.Index,
            Term = entry.Term,
            TimestampMs = entry.Header.TimestampMs,
            StateHash = Store.StateHash,
            Membership = State.Membership?.Encode() ?? [],
        };
#if PLANTED_BUGS
        if (PlantedBugs.Has(PlantedBug.UncommittedMembershipInCheckpoint))
        {
            info = info with { Membership = Replica!.Shard(Shard).Raft.Membership?.Encode() ?? [] };
        }
#endif
        FrozenPages frozen = State.Pages.Freeze(info);
        NotePause(begin);
        _checkpoints.Write(frozen);
    }

    private void Settle(PageStore pages)
    {
        long begin = _node.Clock.MonotonicMicroseconds;
        _node.ApplyMeter.Enter(LoopPhase.Checkpoint);
        pages.Settle();
        NotePause(begin);
    }

    private void NotePause(long beginMicroseconds) =>
        Link.LongestCheckpointPauseMicroseconds =
            Math.Max(Link.LongestCheckpointPauseMicroseconds, _node.Clock.MonotonicMicroseconds - beginMicroseconds);

    private void InstallNow(ShardState state)
    {
        Invariant.That(state.Store.AppliedIndex > Store.AppliedIndex, "apply stays below a checkpoint that is being installed");
        ShardState old = State;
        _evictions.Serve(state.Pages);
        state.Pages.Meter = _node.ApplyMeter;
        State = state;
        HeldUpTo = LogIndex.Zero;
        _holdBelow = NoHold;
        _checkpoints.Retire(old);
        _checkpoints.End(Shard);
        Publish();
    }

    private void Publish()
    {
        Link.AppliedIndex = Store.AppliedIndex;
        Link.StateHash = (Store.AppliedIndex, Store.StateHash);
        Link.Pages = State.Pages.Counters;
        Link.NextDueMs = Store.NextDueMs;
        Link.SetFlags(Store.HasDueWork, Store.Settings != _node.Options.Settings);
        // The replica loop sleeps until the due time it knew; it must hear of another one, and of work that is due already.
        if (Store.NextDueMs != _publishedDueMs || Store.HasDueWork) Replica?.Handle?.Wake();

        _publishedDueMs = Store.NextDueMs;
    }
}
