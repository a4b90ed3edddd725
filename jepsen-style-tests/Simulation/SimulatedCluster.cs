using RaftQueue.Checkers;
using RaftQueue.Jobs;
using RaftQueue.Primitives;
using RaftQueue.Runtime;
using RaftQueue.TestKit;

namespace RaftQueue.Simulation;

/// <summary>
/// Whole nodes on fake disks, virtual time and a simulated network, all in the test's thread. The same seed gives the same run.
/// </summary>
internal sealed class SimulatedCluster : IDisposable
{
    private readonly ulong _seed;
    private readonly int _shards;
    private readonly Func<NodeOptions, NodeOptions> _configure;
    private readonly RandomStreams _streams;
    private readonly HashSet<NodeId> _diedInSlice = [];
    private readonly LivelockGuard _guard;

    public SimulatedCluster(int nodes, int shards, ulong seed, Func<NodeOptions, NodeOptions>? configure = null)
    {
        // Continuations run inside the loop that completes what they wait for, unless the thread has a context of its own.
        SynchronizationContext.SetSynchronizationContext(null);
        _seed = seed;
        _shards = shards;
        _configure = configure ?? (options => options);
        Timeline = new Timeline(Clock);
        _streams = new RandomStreams(seed);
        _guard = new LivelockGuard(Clock);
        Network = new SimulatedNetwork(Clock, _streams, _guard) { PausedUntil = id => this[id.Value].PausedUntilMicroseconds };
        for (int i = 1; i <= nodes; i++) Nodes.Add(new SimulatedNode(new NodeId(i), new FakeDisk(_streams.SeedOf("disk", i)), Clock));
    }

    public FakeClock Clock { get; } = new();

    public SimulatedNetwork Network { get; }

    public List<SimulatedNode> Nodes { get; } = [];

    /// <summary>Called after every step of the simulation.</summary>
    public Action? AfterStep { get; set; }

    /// <summary>An exception left a node's loop. True says that this was to happen and has been dealt with; else it fails the test.</summary>
    public Func<SimulatedNode, Exception, bool>? NodeFailed { get; set; }

    public Timeline Timeline { get; }

    public string History => $"seed {_seed}\n{Timeline}";

    /// <summary>Slices, disk operations and chunks of bytes so far.</summary>
    public long Events => Network.Chunks + Nodes.Sum(node => node.Events);

    /// <summary>Over all of these, equal for two runs that did the same.</summary>
    public ulong Digest => Nodes.Aggregate(Network.Digest, (digest, node) => SplitMix64.Mix(digest ^ node.Digest));

    public SimulatedNode this[int id] => Nodes[id - 1];

    public void StartAll()
    {
        foreach (SimulatedNode node in Nodes) Start(node);
    }

    public void Start(SimulatedNode node)
    {
        int life = node.BeginLife();
        var loops = new ManualLoopHost(node.Clock, _streams.SeedOf("loops", node.Id.Value, life));
        var members = Nodes.Select(each => new MemberOptions(each.Id, $"node{each.Id}:9090", $"http://node{each.Id}:8080")).ToList();
        NodeOptions options = _configure(new NodeOptions
        {
            ClusterId = "test",
            NodeId = node.Id,
            DataDirectory = "/data",
            PeerListen = "127.0.0.1:1",
            HttpAdvertised = $"http://node{node.Id}:8080",
            Members = members,
            Shards = _shards,
            WalSegmentBytes = 1024 * 1024,
            ResidentPagesPerShard = 24,
        });
        var environment = new NodeEnvironment(
            node.Disk,
            node.Clock,
            loops,
            _streams.Open("node", node.Id.Value, life),
            new NodeLog(node.Id.Value, Timeline),
            source =>
            {
                SimulatedPeer peer = Network.Join(node.Id, source);
                return new NodePeers(peer, peer);
            },
            InlineCompletions: true);
        node.Loops = loops;
        long syncErrors = node.Disk.SyncErrors;
        node.Node = Node.Start(options, environment);
        StopsAtSyncErrors(node, syncErrors);
        // What other threads would see of a loop that hangs in its slice.
        NodeShared shared = node.Node.Parts.Shared;
        loops.Stands = (name, stands) =>
        {
            if (name == Loop.Apply) shared.ApplyBusySinceMicroseconds = stands ? node.Clock.MonotonicMicroseconds : 0;
        };
    }

    /// <summary>The process dies or the power goes; what was not synced may be readable or gone.</summary>
    /// <param name="silently">Its connections stay open at the other ends, until it is back.</param>
    public void Crash(SimulatedNode node, CrashMode mode, SplitMix64? random = null, bool silently = false)
    {
        Timeline.Add(node.Id.Value, $"crashes ({mode})");
        if (silently) Network.Vanish(node.Id);
        else Network.Leave(node.Id);
        Forget(node);
        node.Disk.Crash(mode, random);
    }

    /// <summary>Everything this node ever stored is gone.</summary>
    public void Wipe(SimulatedNode node) => node.Disk = new FakeDisk(_streams.SeedOf("new disk", node.Id.Value, node.Lives));

    /// <summary>Lets time pass until <paramref name="done"/>, at most <paramref name="ms"/>; fails the test when it is not.</summary>
    /// <param name="everyMs">How often it is asked, when asking takes long; 0 is after every step.</param>
    public void RunUntil(Func<bool> done, string what, long ms = 30_000, long everyMs = 0)
    {
        long end = Clock.MonotonicMicroseconds + (ms * 1000);
        long askAt = 0;
        while (true)
        {
            if (Clock.MonotonicMicroseconds >= Math.Min(askAt, end))
            {
                if (done()) return;
                askAt = Clock.MonotonicMicroseconds + (everyMs * 1000);
            }

            Require.That(Clock.MonotonicMicroseconds < end, $"P11: not within {ms} ms of virtual time: {what}\n{History}");
            Step(end);
        }
    }

    public void RunFor(long ms)
    {
        long end = Clock.MonotonicMicroseconds + (ms * 1000);
        while (Clock.MonotonicMicroseconds < end) Step(end);
    }

    public T Await<T>(ValueTask<T> task, string what, long ms = 30_000)
    {
        Task<T> waiting = task.AsTask();
        RunUntil(() => waiting.IsCompleted, what, ms);
        return waiting.GetAwaiter().GetResult();
    }

    public SimulatedNode? Leader(int shard = 0) => Nodes.Find(node =>
        node.IsRunning && node.Node!.Status().Shards[shard] is { Role: "leader" } status && status.Leader == node.Id
        && Nodes.Count(other => other.IsRunning && other.Node!.Status().Shards[shard].Leader == node.Id) > Nodes.Count / 2);

    public SimulatedNode AwaitLeader(int shard = 0)
    {
        RunUntil(() => Leader(shard) is not null, $"a leader of shard {shard}");
        return Leader(shard)!;
    }

    /// <summary>Every running node has applied everything and has the same state.</summary>
    public void AwaitSameState(int shard = 0)
    {
        RunUntil(
            () =>
            {
                List<ShardStatus> states = [.. Nodes.Where(node => node.IsRunning).Select(node => node.Node!.Status().Shards[shard])];
                return states.TrueForAll(state => state.AppliedIndex == states[0].AppliedIndex && state.AppliedIndex == state.LastIndex
                    && state.HashIndex == state.AppliedIndex);
            },
            "all nodes at the same index");
        Require.That(
            Nodes.Where(node => node.IsRunning).Select(node => node.Node!.Status().Shards[shard].StateHash).Distinct().Count() == 1,
            "P10: equal index, equal state hash");
    }

    public CommandOutcome Enqueue(SimulatedNode at, string queue, string payload) =>
        Await(EnqueueAsync(at, queue, payload), $"enqueue through node {at.Id}");

    public ValueTask<CommandOutcome> EnqueueAsync(SimulatedNode at, string queue, string payload, long? delayMs = null)
    {
        byte[] name = System.Text.Encoding.UTF8.GetBytes(queue);
        byte[] body = TestCommands.Enqueue(name, System.Text.Encoding.UTF8.GetBytes(payload), delayMs);
        return at.Node!.SubmitAsync(QueueName.ShardOf(name, _shards), CommandType.Enqueue, body, finishing: false);
    }

    public ValueTask<CommandOutcome> LeaseAsync(
        SimulatedNode at, string queue, int maxJobs, long waitMs, long leaseMs = 60_000, long pullAheadMs = 0, CancellationToken gone = default)
    {
        byte[] name = System.Text.Encoding.UTF8.GetBytes(queue);
        byte[] body = TestCommands.Lease(name, maxJobs, leaseMs, pullAheadMs: pullAheadMs);
        return at.Node!.LeaseAsync([new LeaseSegment(QueueName.ShardOf(name, _shards), body)], waitMs, gone);
    }

    /// <summary>Lets everything that is due happen; when nothing is, time passes first to what is next, at most to <paramref name="end"/>.</summary>
    public void Step(long end)
    {
        if (!RunDue())
        {
            long next = Math.Min(end, Network.NextDueMicroseconds);
            foreach (SimulatedNode node in Nodes) next = Math.Min(next, node.NextDueMicroseconds);
            Clock.AdvanceTo(Math.Max(next, Clock.MonotonicMicroseconds + 1));
            RunDue();
        }

        AfterStep?.Invoke();
    }

    /// <summary>The process is gone, however it ended: gives its memory back.</summary>
    public void Forget(SimulatedNode node)
    {
        Node? gone = node.Node;
        node.Node = null;
        node.Loops = null;
        // What died in the middle of a slice may hold pages; the finalizer of their memory is left to free it.
        if (gone is null || _diedInSlice.Remove(node.Id)) return;
        foreach (ShardApply shard in gone.Parts.Applies) shard.State.Pages.Dispose();
    }

    public void Tell(string line) => Timeline.Add(0, line);

    /// <summary>Nothing runs any more.</summary>
    public void Dispose()
    {
        foreach (SimulatedNode node in Nodes)
        {
            Forget(node);
            node.Disk.Release();
        }
    }

    private bool RunDue()
    {
        bool worked = false;
        foreach (SimulatedNode node in Nodes)
        {
            if (!node.IsPaused) worked |= RunDue(node);
        }

        return Network.RunDue() | worked;
    }

    /// <summary>P10: after a sync that failed nobody knows what is durable, and no second one can tell ("fsyncgate").</summary>
    private static void StopsAtSyncErrors(SimulatedNode node, long before) =>
        Require.That(node.Disk.SyncErrors == before, $"P10: node {node.Id} goes on after a sync that failed");

    private bool RunDue(SimulatedNode node)
    {
        bool worked = false;
        try
        {
            FakeDisk disk = node.Disk;
            long syncErrors = disk.SyncErrors;
            while (node.Loops?.RunSlice() == true)
            {
                worked = true;
                if (node.Disk == disk) StopsAtSyncErrors(node, syncErrors);
                _guard.Did(node.LastLoop);
            }
        }
        catch (Exception exception) when (NodeFailed is not null)
        {
            worked = true;
            _diedInSlice.Add(node.Id);
            if (!NodeFailed(node, exception)) throw;
        }

        return worked;
    }
}
