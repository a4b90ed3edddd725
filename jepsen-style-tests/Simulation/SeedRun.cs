using System.Text;
using RaftQueue.Checkers;
using RaftQueue.Jobs;
using RaftQueue.Jobs.Views;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;
using RaftQueue.Runtime;

namespace RaftQueue.Simulation;

/// <summary>One seed: faults and clients for a while, then everything heals, drains and is checked.</summary>
internal sealed partial class SeedRun : IDisposable
{
    private const long LeastMs = 60_000;
    private const long RecoveryMs = 15_000;
    private const long RejoinMs = 60_000;
    private const long DrainMs = 120_000;

    private readonly SimulatedCluster _cluster;
    private readonly ClusterWatch _watch;
    private readonly FaultInjector _faults;
    private readonly List<SimulatedClient> _clients = [];
    private readonly long _startedAt;
    private readonly RandomStreams _streams;

    /// <summary>What the seed draws.</summary>
    public SeedRun(ulong seed)
        : this(seed, SeedPlan.Draw(new RandomStreams(seed)))
    {
    }

    /// <summary>Any plan, with the load and the faults that the seed draws for it.</summary>
    public SeedRun(ulong seed, SeedPlan plan)
        : this(seed, plan, FaultSchedule.Draw(plan, new RandomStreams(seed)), plan.DrawWorkload(new RandomStreams(seed)))
    {
    }

    /// <summary>Any plan, faults and load; all other chance comes from the seed's streams.</summary>
    public SeedRun(ulong seed, SeedPlan plan, FaultSchedule schedule, Workload workload)
    {
        Plan = plan;
        Schedule = schedule;
        Workload = workload;
        var streams = new RandomStreams(seed);
        _cluster = new SimulatedCluster(
            plan.Nodes, plan.Shards, streams.SeedOf("cluster"), options => options with { CheckpointLogMiB = 1, MemoryBudgetMiB = plan.MemoryBudgetMiB });
        _startedAt = Now;
        History = new History(() => Now, _cluster.Tell);
        _watch = new ClusterWatch(_cluster, plan.Shards);
        _faults = new FaultInjector(_cluster, schedule, History, plan.Shards);
        _streams = streams;
        var shared = new ClientShared();
        for (int i = 0; i < workload.Clients; i++)
        {
            _clients.Add(new SimulatedClient(_cluster, workload, History, shared, streams.SeedOf("client", i)));
        }
    }

    public SeedPlan Plan { get; }

    public FaultSchedule Schedule { get; }

    public Workload Workload { get; }

    public History History { get; }

    public int Faults => _faults.Made.Values.Sum();

    public IReadOnlyDictionary<FaultKind, int> FaultsMade => _faults.Made;

    /// <summary>Gets every line of the timeline as it comes.</summary>
    public Action<string>? Watch
    {
        set => _cluster.Timeline.Watch = value;
    }

    /// <summary>Over everything that happened: frames, slices, disk operations, calls and faults.</summary>
    public ulong Hash => SplitMix64.Mix(History.EventHash ^ _cluster.Digest);

    /// <summary>Slices of loops, disk operations, chunks of bytes and calls.</summary>
    public long Events => _cluster.Events + History.Operations.Count;

    public double SimulatedSeconds => (Now - _startedAt) / 1e6;

    public int Entries => _watch.Entries;

    public string Story => $"{Plan}\n{Workload}\n{_cluster.Timeline}\n{string.Join('\n', _cluster.Nodes.SelectMany(Describe))}\nlast calls:\n{string.Join('\n', History.Operations.TakeLast(25))}";

    private long Now => _cluster.Clock.MonotonicMicroseconds;

    public void Run()
    {
        _cluster.AfterStep = () =>
        {
            _faults.RunDue();
            _faults.WhileWatched(_watch.AfterStep);
            foreach (SimulatedClient client in _clients) client.Poll();
        };
        _cluster.Network.Weather = Plan.Weather;
        _cluster.StartAll();
        Disturb();
        if (Plan.HealsMajorityFirst && _watch.ClusterHasBegun) DemandProgressOfMajority(_streams.Open("majority"));
        Heal();
        Drain();
        _cluster.RunFor(Math.Max(0, LeastMs - ((Now - _startedAt) / 1000)));
        Check();
    }

    public void Dispose() => _cluster.Dispose();

    private void Disturb()
    {
        long end = Now + (Plan.DurationMs * 1000);
        while (Now < end)
        {
            foreach (SimulatedClient client in _clients) client.Act();
            long next = Math.Min(end, _faults.NextMicroseconds);
            foreach (SimulatedClient client in _clients) next = Math.Min(next, client.NextMicroseconds);
            _cluster.Step(Math.Max(next, Now + 1));
        }
    }

    /// <summary>P11: everybody is back, knows a leader, is a voter and takes jobs within bounded time.</summary>
    private void Heal()
    {
        _faults.HealAll();
        _cluster.RunUntil(_faults.StartHealed, "P11: all nodes run", RecoveryMs, 20);
        _cluster.RunUntil(
            () => Enumerable.Range(0, Plan.Shards).All(shard => _cluster.Leader(shard) is not null), "P11: every shard has a leader", RecoveryMs, 20);
        _cluster.RunUntil(
            () => _cluster.Nodes.TrueForAll(node => node.Node!.IsReady) && Enumerable.Range(0, Plan.Shards).All(IsWhole),
            "P11: every node is a voter of every shard and ready",
            RejoinMs,
            20);
        _cluster.RunUntil(() => _clients.TrueForAll(client => client.IsIdle), "P11: every call ends", 25_000, 20);
        foreach (SimulatedNode node in _cluster.Nodes)
        {
            for (int queue = 0; queue < Workload.Queues; queue++)
            {
                Operation enqueue = New(OperationKind.Enqueue, $"q{queue}", $"p{History.NextId}");
                Complete(node, enqueue, CommandType.Enqueue, ClientCommands.Enqueue(enqueue, 0, default), RecoveryMs);
                Require.That(enqueue.IsOk, $"P11: {enqueue} through node {node.Id}");
            }
        }
    }

    private static IEnumerable<string> Describe(SimulatedNode node) => node.Node is not { } running
        ? [$"node {node.Id} does not run"]
        : running.Parts.Replica.Shards.Select(shard =>
            $"node {node.Id} {running.Parts.Shared.Incarnation} shard {shard.Shard}: {shard.Raft.Role} of {shard.Raft.Term}, leader {shard.Raft.Leader}, "
            + $"log to {shard.Raft.LastIndex}, committed {shard.Raft.CommitIndex}, applied {shard.Link.AppliedIndex}, {shard.Raft.Membership} "
            + $"({string.Join(' ', shard.Raft.Membership?.Voters.Select(voter => voter.Incarnation) ?? [])})");

    private bool IsWhole(int shard) => _cluster.Nodes.TrueForAll(node =>
        node.Node!.Parts.Replica.Shards[shard].Raft.Membership is { IsJoint: false } membership
        && _cluster.Nodes.TrueForAll(each =>
            membership.IsVoter(each.Id) && membership.Names(each.Id, each.Node!.Parts.Shared.Incarnation)));

    /// <summary>Leases and acks everything, until every job is finished.</summary>
    private void Drain()
    {
        long end = Now + (DrainMs * 1000);
        for (int queue = 0; queue < Workload.Queues; queue++)
        {
            string name = $"q{queue}";
            while (Unfinished(name) > 0)
            {
                Require.That(Now < end, $"P11: queue {name} is not drained within {DrainMs} ms");
                Operation lease = New(OperationKind.Lease, name, "");
                SimulatedNode node = _cluster.Nodes[lease.Id % _cluster.Nodes.Count];
                History.Add(lease);
                byte[] body = ClientCommands.Lease([name], lease.Worker, 50, 60_000);
                ValueTask<CommandOutcome> asked = node.Node!.LeaseAsync([new LeaseSegment(lease.Shard, body)], 2_000, default);
                ClientCommands.Note(lease, _cluster.Await(asked, "a lease of the drain"));
                History.Returned(lease);
                foreach (Grant grant in lease.Grants) Ack(node, grant);
            }
        }

        for (int shard = 0; shard < Plan.Shards; shard++) _cluster.AwaitSameState(shard);
    }

    private void Ack(SimulatedNode node, Grant grant)
    {
        Operation ack = New(OperationKind.Ack, grant.Queue, "", grant);
        Complete(node, ack, CommandType.Ack, ClientCommands.Token(ack), RecoveryMs);
        Require.That(ack.TookToken, $"the lease of the drain lasts: {ack}");
    }

    private void Check()
    {
        foreach (ShardStatus shard in _cluster.Nodes[0].Node!.Status().Shards)
        {
            _watch.CheckReplay(shard.Id.Value, shard.HashIndex, shard.StateHash);
        }

        var record = new RunRecord(History, _watch.StampOf, ReadAllJobs(), ReadTotals());
        LossChecker.Check(record);
        FenceChecker.Check(record);
        AckFinalChecker.Check(record);
        UniqueChecker.Check(record);
        EarlyChecker.Check(record);
        ReadChecker.Check(record);
        IdempotencyChecker.Check(record);
        DefiniteChecker.Check(record);
    }

    /// <summary>Every job that any answer named, as every node has it: all the same.</summary>
    private Dictionary<JobId, JobSnapshot?> ReadAllJobs()
    {
        var ids = new SortedDictionary<string, JobId>(StringComparer.Ordinal);
        foreach (Operation operation in History.Operations)
        {
            if (operation.Job is { } job) ids.TryAdd(job.ToString(), job);
            foreach (Grant grant in operation.Grants) ids.TryAdd(grant.Job.ToString(), grant.Job);
        }

        var jobs = new Dictionary<JobId, JobSnapshot?>();
        foreach (JobId id in ids.Values)
        {
            byte[]? first = null;
            foreach (SimulatedNode node in _cluster.Nodes)
            {
                ReadOutcome read = _cluster.Await(node.Node!.ReadJobAsync(id, withPayload: true, 0, ReadConsistency.Stale), "a read of a job");
                byte[] encoded = read.Found ? read.Result.ToArray() : [];
                first ??= encoded;
                Require.That(first.AsSpan().SequenceEqual(encoded), $"P10: node {node.Id} has another job {id} than node {_cluster.Nodes[0].Id}");
            }

            jobs[id] = first!.Length == 0 ? null : JobSnapshot.Read(first);
        }

        return jobs;
    }

    private Dictionary<string, long> ReadTotals()
    {
        var totals = new Dictionary<string, long>(StringComparer.Ordinal);
        for (int queue = 0; queue < Workload.Queues; queue++) totals[$"q{queue}"] = ReadQueue($"q{queue}").Total;
        return totals;
    }

    private long Unfinished(string queue) => ReadQueue(queue).Unfinished;

    private (long Total, long Unfinished) ReadQueue(string queue)
    {
        byte[] name = Encoding.UTF8.GetBytes(queue);
        ReadOutcome read = _cluster.Await(
            _cluster.Nodes[0].Node!.ReadAsync(
                QueueName.ShardOf(name, Plan.Shards),
                ReadConsistency.Linearizable,
                name,
                static (store, asked, into) => store.TryWriteQueue(asked, new MessagePackWriter(into))),
            "a read of a queue");
        Require.That(read.Decided, "P11: a read is answered");
        Require.That(read.Found, $"queue {queue} exists");
        var reader = new MessagePackReader(read.Result.Span);
        Require.Readable(QueueView.TryRead(ref reader, out QueueView view));
        return (view.EnqueuedTotal, view.CountOf(JobState.Ready) + view.CountOf(JobState.Scheduled) + view.CountOf(JobState.Leased));
    }

    private void Complete(SimulatedNode node, Operation operation, CommandType type, byte[] body, long withinMs)
    {
        History.Add(operation);
        ValueTask<CommandOutcome> asked = node.Node!.SubmitAsync(operation.Shard, type, body, finishing: type != CommandType.Enqueue);
        ClientCommands.Note(operation, _cluster.Await(asked, $"{operation.Kind} through node {node.Id}", withinMs));
        History.Returned(operation);
    }

    private Operation New(OperationKind kind, string queue, string payload, Grant? grant = null) => new()
    {
        Id = History.NextId,
        Kind = kind,
        Shard = QueueName.ShardOf(Encoding.UTF8.GetBytes(queue), Plan.Shards),
        InvokedOrder = History.NextOrder(),
        InvokedMicroseconds = Now,
        Queue = queue,
        Payload = payload,
        Job = grant?.Job,
        Fence = grant?.Fence ?? 0,
    };
}
