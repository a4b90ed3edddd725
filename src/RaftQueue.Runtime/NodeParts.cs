using RaftQueue.Consensus;
using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>The pieces of a node, put together in the order in which they depend on each other.</summary>
internal sealed class NodeParts
{
    private readonly IDisposable? _directoryLock;
    private readonly CheckpointFiles _files;
    private readonly ApplyLoop _apply;
    private readonly CheckpointLoop _checkpoints;
    private readonly EvictionLoop _evictions;
    private readonly List<ILoopHandle> _loops = [];

    private NodeParts(
        NodeShared shared,
        IDisposable? directoryLock,
        CheckpointFiles files,
        ReplicaLoop replica,
        ApplyLoop apply,
        (CheckpointLoop Checkpoints, EvictionLoop Evictions) pages,
        ShardApply[] applies)
    {
        Shared = shared;
        _directoryLock = directoryLock;
        _files = files;
        Replica = replica;
        _apply = apply;
        (_checkpoints, _evictions) = pages;
        Applies = applies;
        Desk = new RequestDesk(shared, replica, applies);
    }

    public NodeShared Shared { get; }

    public ReplicaLoop Replica { get; }

    public ShardApply[] Applies { get; }

    public CheckpointFiles Files => _files;

    public RequestDesk Desk { get; }

    public static NodeParts Open(NodeOptions options, NodeEnvironment environment)
    {
        OpenedDirectory directory = OpenedDirectory.Open(options, environment);
        var shared = new NodeShared
        {
            Options = options,
            Incarnation = directory.Incarnation,
            Boot = directory.Boot,
            Clock = environment.Clock,
            Log = environment.Log,
            Wal = directory.Wal,
            CompletionOptions = environment.InlineCompletions
                ? TaskCreationOptions.None
                : TaskCreationOptions.RunContinuationsAsynchronously,
            Reads = new ReadTable(options.MaxOpenReads),
            Replies = new ReplyTable(options.MaxPendingRequests, options.MaxPendingBytes),
            Rehearses = environment.Rehearses,
            ApplyMeter = NewMeter("apply", environment),
            ReplicaMeter = NewMeter("replica", environment),
        };
        shared.Wal.Meter = NewMeter("log", environment);
        var replica = new ReplicaLoop(shared);
        var apply = new ApplyLoop(shared);
        var checkpoints = new CheckpointLoop(shared) { Replica = replica };
        var evictions = new EvictionLoop();
        var applies = new ShardApply[options.Shards];
        var replicas = new ShardReplica[options.Shards];
        for (int i = 0; i < options.Shards; i++)
        {
            var shard = new ShardId((ushort)i);
            ShardOpening opening = directory.Shards[i];
            applies[i] = new ShardApply(shared, apply, (checkpoints, evictions), shard, opening.State) { Replica = replica, HeldUpTo = opening.HeldUpTo };
            RaftNode raft = NewRaft(shared, shard, opening.Start, environment.Random);
            if (opening.Bootstrap is { } membership) raft.Bootstrap(membership, shared.Clock.MonotonicMicroseconds / 1000);
            replicas[i] = new ShardReplica(shared, replica, raft, applies[i], shard, opening.LastStampMs);
        }

        replica.Use(replicas);
        apply.Use(applies);
        checkpoints.Use(directory.Files);
        var parts = new NodeParts(shared, directory.Lock, directory.Files, replica, apply, (checkpoints, evictions), applies);
        MarkStateJob[] marks = [.. applies.Select(shard => new MarkStateJob(checkpoints, directory.Files, shard.Shard, StateMark.Damaged))];
        NodePeers peers = environment.Network(new CheckpointSource(directory.Files, environment.Clock, environment.Log, (shard, pages) =>
        {
            checkpoints.Post(marks[shard.Value]);
            replica.Post(new PagesDamaged(shard, pages));
        }));
        shared.Network = peers.Network;
        replica.Requests = parts.Desk;
        replica.Bootstrap = new BootstrapRounds(shared, directory.Files, directory.Shards.Select(opening => opening.IsBlank));
        replica.Hashes = new StateHashWatch(shared, directory.Files);
        foreach (ShardApply shard in applies)
        {
            CheckpointFile file = directory.Files[shard.Shard];
            if (file.Older is { } older) replica.Hashes.BeginsWith(shard.Shard, older.Index, file.OlderRootHash);
            if (file.Newest is { } newest) replica.Hashes.BeginsWith(shard.Shard, newest.Index, file.RootHash);
        }

        replica.Transfers = new StateTransfer(shared, checkpoints, directory.Files, peers.Transfers);
        return parts;
    }

    private static LoopMeter NewMeter(string loop, NodeEnvironment environment) =>
        new(loop, environment.Clock, environment.Usage, environment.Log.Info);

    public void StartLoops(ILoopHost host, Action<Exception> failed)
    {
        ILoopHandle Start(string name, ILoopBody body)
        {
            ILoopHandle handle = host.Start(name, new GuardedLoop(body, failed));
            _loops.Add(handle);
            return handle;
        }

        ILoopHandle log = Start("log", Shared.Wal);
        ILoopHandle segments = Start("segments", Shared.Wal.Preparation);
        Shared.Wal.Attach(new LogEvents(Shared, Replica), log.Wake, segments.Wake);
        Replica.WalHandle = log;
        _checkpoints.Handle = Start("checkpoint", _checkpoints);
        _evictions.Handle = Start("eviction", _evictions);
        _apply.Handle = Start("apply", _apply);
        // Before the door opens: a caller that is no peer yet would be refused.
        Replica.Peers.Follow(Replica.Shards);
        Shared.Network.Start(new PeerEvents(Shared, Replica));
        Replica.Handle = Start("replica", Replica);
        Replica.Handle.Wake();
        log.Wake();
        segments.Wake();
        _apply.Handle.Wake();
    }

    /// <summary>Ends peers and loops, answers what is still open, closes the directory.</summary>
    public async Task CloseAsync()
    {
        await Replica.Transfers.StopAsync().ConfigureAwait(false);
        await Shared.Network.DisposeAsync().ConfigureAwait(false);
        for (int i = _loops.Count - 1; i >= 0; i--) _loops[i].Stop();
        foreach (ShardReplica shard in Replica.Shards) shard.Abandon();
        foreach (ShardApply shard in Applies) shard.Abandon();
        Shared.Reads.Abandon();
        Shared.Wal.Dispose();
        _files.Dispose();
        foreach (ShardApply shard in Applies) shard.State.Pages.Dispose();
        _directoryLock?.Dispose();
    }

    private static RaftNode NewRaft(NodeShared shared, ShardId shard, RaftStart start, IRandomSource random)
    {
        NodeOptions options = shared.Options;
        var raftOptions = new RaftOptions
        {
            Self = shared.Self,
            SelfIncarnation = shared.Incarnation,
            Shard = shard,
            ElectionTimeoutMs = options.ElectionTimeoutMs,
            HeartbeatMs = options.HeartbeatMs,
        };
        return new RaftNode(
            raftOptions,
            start,
            shared.Wal.Log(shard),
            new SplitMix64(random.NextUInt64()),
            shared.Clock.MonotonicMicroseconds / 1000);
    }
}
