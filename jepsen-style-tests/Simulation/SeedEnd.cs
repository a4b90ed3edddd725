using System.Text;
using RaftQueue.Checkers;
using RaftQueue.Checkers.Model;
using RaftQueue.Jobs;
using RaftQueue.Jobs.Views;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;
using RaftQueue.Runtime;

namespace RaftQueue.Simulation;

/// <summary>The end of a run, when everybody is back: every node is tried, all jobs are worked off, and the checkers judge.</summary>
internal sealed class SeedEnd(SimulatedCluster cluster, ClusterWatch watch, History history, Workload workload)
{
    private const long AnswerMs = 15_000;
    private const int MostAttempts = 250;
    private const long DrainMs = 120_000;
    private const int DrainClient = -1;

    private readonly Dictionary<int, Dictionary<JobId, JobSnapshot>> _finalJobs = [];
    private readonly List<LogIndex> _ends = [];

    /// <summary>How late jobs became ready by cluster time, of all and of those whose time came after the heal, ms. Known after <see cref="Judge"/>.</summary>
    public (IReadOnlyList<long> All, IReadOnlyList<long> Healed) LateMs { get; private set; } = ([], []);

    /// <summary>How often more was due than one entry may carry out, by the model. Known after <see cref="Judge"/>.</summary>
    public ModelBehind Behind { get; } = new();

    /// <summary>When the faults ended, on the history's clock, and how long recovery may take from there; null when they did not.</summary>
    public (long HealedNs, long RecoveryNs)? Recovery { get; set; }

    /// <summary>When every fault had ended, Unix ms of true time: from then on no node is kept from giving leases back.</summary>
    public long HealedMs { get; set; } = long.MaxValue;

    /// <summary>P11: every node takes new jobs for every queue.</summary>
    public void TryEveryNode()
    {
        foreach (SimulatedNode node in cluster.Nodes)
        {
            for (int queue = 0; queue < workload.Queues; queue++)
            {
                (Operation enqueue, byte[] body) = Enqueue(node, $"q{queue}");
                Complete(node, enqueue, body);
                for (int attempt = 0; attempt < MostAttempts && enqueue.Refusal == nameof(NotAppliedReason.Overloaded); attempt++)
                {
                    // Its small room is taken by what nobody waits for any more.
                    cluster.RunFor(100);
                    (enqueue, body) = Enqueue(node, $"q{queue}");
                    Complete(node, enqueue, body);
                }

                Require.That(enqueue.IsOk || IsFull(enqueue), $"P11: {enqueue} through node {node.Id}");
            }
        }
    }

    /// <summary>Leases and acks everything, until every job is finished, and notes what every node has then.</summary>
    public void Drain()
    {
        long end = cluster.Clock.MonotonicMicroseconds + (DrainMs * 1000);
        foreach (string name in workload.QueueNames)
        {
            while (Unfinished(name) > 0)
            {
                Require.That(cluster.Clock.MonotonicMicroseconds < end, $"P11: queue {name} is not drained within {DrainMs} ms");
                LeaseAndAck(name);
                if (history.Operations[^1].Refusal is not null) cluster.RunFor(100);
            }
        }

        for (int shard = 0; shard < workload.Shards; shard++)
        {
            cluster.AwaitSameState(shard);
            watch.Pages.CompareAll(cluster.Nodes, shard);
            NoteFinalJobs(shard);
        }
    }

    /// <summary>
    /// Every checker judges, whatever the others find. Of a run that did not come to its end: the calls, and the logs where all of what is
    /// committed is known.
    /// </summary>
    public void Judge(Findings findings, bool ended)
    {
        Truth? truth = null;
        findings.Try(() => truth = Replay(ended));
        var record = new RunRecord(history)
        {
            Truth = truth,
            FinalJobs = !ended ? [] : _finalJobs.ToDictionary(pair => pair.Key, pair => (IReadOnlyDictionary<JobId, JobSnapshot>)pair.Value),
            IdempotencyWindowMs = workload.Settings.IdempotencyWindowMs,
            LagMs = watch.LagMs,
            HealedNs = ended ? Recovery?.HealedNs : null,
            RecoveryNs = Recovery?.RecoveryNs ?? long.MaxValue,
            SlowestClock = RunRecord.SlowestTime * (1_000_000 - watch.MostDriftPpm) / 1_000_000.0,
        };
        foreach (TruthShard shard in truth?.Shards ?? []) findings.Try(() => RequireSameState(shard));
        foreach (TruthShard shard in (ended ? truth?.Shards : null) ?? []) findings.Try(() => watch.Pages.CompareReplay(shard));
        foreach ((_, Action<RunRecord> check) in Verdicts.All) findings.Try(() => check(record));
        findings.Try(() => DefiniteChecker.Check(record, grant => grant.StampMs < HealedMs || HasEnded(grant.Call!)));
        foreach (TruthShard shard in truth?.Shards ?? []) Behind.Add(shard.Behind);
        List<(long StampMs, long LateMs)> due = [.. (truth?.Shards ?? []).SelectMany(shard => shard.Due)];
        LateMs = ([.. due.Select(each => each.LateMs)], [.. due.Where(each => each.StampMs - each.LateMs >= HealedMs).Select(each => each.LateMs)]);
    }

    /// <summary>
    /// The process that was asked has ended, and with it whoever would give back a lease that was granted later. No other call is kept from it
    /// once everything has healed: from then on no process ends, and every node reaches a leader.
    /// </summary>
    private bool HasEnded(Operation call) => cluster[call.Node].Lives > call.Life;

    private Truth? Replay(bool ended)
    {
        LogIndex[] known = [.. Enumerable.Range(0, workload.Shards).Select(watch.CommittedTo)];
        LogIndex[] ends = ended ? [.. _ends] : known;
        // A watch that looked away may not have seen all of it.
        if (watch.IsBlind && (!ended || ends.Zip(known).Any(pair => pair.First > pair.Second))) return null;
        return Truth.Replay(
            history,
            [.. ends.Select((index, shard) => watch.Log(shard, index))],
            [.. ends.Select((index, shard) => watch.Pages.Audits(new ShardId((ushort)shard), index))]);
    }

    private void RequireSameState(TruthShard shard) => Require.That(
        watch.StateHashAt(shard.Shard, shard.LastIndex) is not { } hash || hash == shard.StateHash,
        $"P10: shard {shard.Shard}: the log replayed to {shard.LastIndex} gives another state hash");

    /// <summary>A new job with a key of its own: no other of the queue is taken for it.</summary>
    public (Operation Call, byte[] Body) Enqueue(SimulatedNode node, string queue)
    {
        string name = $"e{history.NextId}";
        Operation call = New(node, OperationKind.Enqueue, queue, jobs: [new AskedJob { Payload = $"\"{name}\"", UniqueKey = name }]);
        return (call, ClientCommands.Enqueue(call, [new PlainJob { Payload = $"\"{name}\"", Key = name }]));
    }

    /// <summary>Of queues of one shard, in this order.</summary>
    public (Operation Call, byte[] Body) Lease(SimulatedNode node, IReadOnlyList<string> queues, int maxJobs, long pullAheadMs = 0)
    {
        Operation call = New(
            node, OperationKind.Lease, queues[0], worker: $"d{history.NextId}", delayMs: 60_000, waitMs: 2_000, queues: queues, pullAheadMs: pullAheadMs);
        return (call, ClientCommands.Lease(call, queues, maxJobs));
    }

    public (Operation Call, byte[] Body) Ack(SimulatedNode node, string queue, Grant grant)
    {
        Operation call = New(node, OperationKind.Ack, queue, grant.Job, grant.Fence);
        return (call, ClientCommands.Tokens(call, [new ModelItem(new LeaseToken(grant.Job, grant.Fence))]));
    }

    /// <summary>Begins a call and notes under which number its node sends it on.</summary>
    public static Task<CommandOutcome> Send(History history, Operation operation, Node node, byte[] body)
    {
        history.Add(operation);
        ulong before = node.Parts.Shared.LastRequestNumber;
        Task<CommandOutcome> asked = operation.Kind == OperationKind.Lease
            ? node.LeaseAsync([new LeaseSegment(operation.Shard, body)], operation.WaitMs, default).AsTask()
            : node.SubmitAsync(operation.Shard, ClientAnswers.TypeOf(operation.Kind), body, finishing: operation.IsOnLease).AsTask();
        ulong after = node.Parts.Shared.LastRequestNumber;
        if (after != before) operation.Request = (node.Parts.Shared.Incarnation, after);
        return asked;
    }

    private void LeaseAndAck(string queue)
    {
        SimulatedNode node = cluster.Nodes[history.NextId % cluster.Nodes.Count];
        (Operation lease, byte[] body) = Lease(node, [queue], ClientRequests.MostJobsOfALease);
        Complete(node, lease, body);
        foreach (Grant grant in lease.Grants)
        {
            (Operation ack, byte[] ackBody) = Ack(node, queue, grant);
            Complete(node, ack, ackBody);
            Require.That(ack.TookToken, $"P11: the lease of the drain lasts: {ack}");
        }
    }

    /// <summary>Refused by everybody alike, in the log, for want of room.</summary>
    public static bool IsFull(Operation enqueue) =>
        enqueue is { End: OperationEnd.Applied, Code: ResultCode.StateFull or ResultCode.TooManyQueues };

    public ShardId ShardOf(string queue) => QueueName.ShardOf(Encoding.UTF8.GetBytes(queue), workload.Shards);

    private long Unfinished(string queue)
    {
        byte[] name = Encoding.UTF8.GetBytes(queue);
        ReadOutcome read = cluster.Await(
            cluster.Nodes[0].Node!.ReadAsync(
                QueueName.ShardOf(name, workload.Shards),
                ReadConsistency.Linearizable,
                name,
                static (store, asked, into) => store.TryWriteQueue(asked, new MessagePackWriter(into))),
            "a read of a queue");
        if (!read.Decided)
        {
            // A read that a client had held back and left keeps its room for as long as it was to be held; the drain has its own end.
            cluster.RunFor(100);
            return 1;
        }

        // Its batches may all have been refused.
        if (!read.Found && queue == Burst.Queue) return 0;
        if (!read.Found && (workload.Settings.MaxQueues < workload.Queues || workload.Settings.StateHighWaterPages > 0)) return 0;
        Require.That(read.Found, $"P1: queue {queue} exists");
        var reader = new MessagePackReader(read.Result.Span);
        Require.Readable(QueueView.TryRead(ref reader, out QueueView view));
        return view.CountOf(JobState.Ready) + view.CountOf(JobState.Scheduled) + view.CountOf(JobState.Leased);
    }

    /// <summary>Every job that any call or answer named, as every node has it at one index.</summary>
    private void NoteFinalJobs(int shard)
    {
        var ids = new HashSet<JobId>();
        foreach (Operation operation in history.Operations)
        {
            if (operation.Job is { } job) ids.Add(job);
            foreach (AskedJob asked in operation.Jobs)
            {
                if (asked.Job is { } named) ids.Add(named);
            }

            foreach (Grant grant in operation.Grants) ids.Add(grant.Job);
        }

        ids.RemoveWhere(id => id.Shard.Value != shard);
        using var buffer = new PooledBuffer();
        foreach (SimulatedNode node in cluster.Nodes)
        {
            if (!_finalJobs.TryGetValue(node.Id.Value, out Dictionary<JobId, JobSnapshot>? jobs))
                _finalJobs.Add(node.Id.Value, jobs = []);
            JobStore store = node.Node!.Parts.Applies[shard].Store;
            if (_ends.Count == shard) _ends.Add(store.AppliedIndex);
            Require.That(store.AppliedIndex == _ends[shard], $"P11: node {node.Id} is at index {store.AppliedIndex} of shard {shard}, others at {_ends[shard]}");
            foreach (JobId id in ids)
            {
                buffer.Clear();
                if (store.TryWriteJob(id, withPayload: true, new MessagePackWriter(buffer)))
                    jobs.Add(id with { Slot = 0 }, JobSnapshot.Read(buffer.WrittenSpan, out _));
            }
        }
    }

    private void Complete(SimulatedNode node, Operation operation, byte[] body)
    {
        var asked = new ValueTask<CommandOutcome>(Send(history, operation, node.Node!, body));
        ClientAnswers.Note(operation, cluster.Await(asked, $"{operation.Kind} through node {node.Id}", AnswerMs));
        history.Returned(operation);
    }

    private Operation New(
        SimulatedNode node,
        OperationKind kind,
        string queue,
        JobId? job = null,
        ulong fence = 0,
        string worker = "",
        long? delayMs = null,
        long waitMs = 0,
        IReadOnlyList<AskedJob>? jobs = null,
        IReadOnlyList<string>? queues = null,
        long pullAheadMs = 0) => new()
        {
            Id = history.NextId,
            Client = DrainClient,
            Node = node.Id.Value,
            Life = node.Lives,
            Kind = kind,
            Shard = ShardOf(queue),
            InvokedNs = history.NextNs(),
            Queue = queue,
            Queues = queues ?? [],
            PullAheadMs = pullAheadMs,
            Job = job,
            Fence = fence,
            Worker = worker,
            DelayMs = delayMs,
            WaitMs = waitMs,
            Jobs = jobs ?? [],
        };
}
