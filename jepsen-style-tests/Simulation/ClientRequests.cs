using System.Globalization;
using System.Text;
using RaftQueue.Checkers;
using RaftQueue.Checkers.Model;
using RaftQueue.Jobs;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;
using RaftQueue.Runtime;

namespace RaftQueue.Simulation;

/// <summary>Turns the steps of one client into calls.</summary>
internal sealed partial class ClientRequests(SimulatedCluster cluster, Workload workload, History history, ClientShared shared, int client)
{
    /// <summary>So many jobs fit into one lease answer however large they are.</summary>
    public const int MostJobsOfALease = 30;

    /// <summary>Unique keys: any UTF-8, of which two look the same and are not.</summary>
    private static readonly string[] UniqueKeys = ["u0", "ключ", "鍵🔑", "caf\u00e9", "cafe\u0301"];

    private SimulatedNode _asked = null!;
    private SplitMix64 _random = null!;
    private ClientStep _step = null!;

    public ClientCall Make(ClientStep step, SimulatedNode asked, SplitMix64 random)
    {
        _step = step;
        _asked = asked;
        _random = random;
        return step.Kind switch
        {
            StepKind.Repeat when shared.AnyKeyed(random) is { } keyed => Repeat(keyed),
            StepKind.EnqueueBatch => Enqueue(2 + (int)random.NextBelow(5)),
            StepKind.Lease => Lease(),
            StepKind.Ack or StepKind.Nack or StepKind.Extend or StepKind.Release or StepKind.Reschedule
                when shared.TakeGrant(random) is { } grant => UseLease(grant),
            StepKind.Cancel when shared.AnyJobToCancel(random) is { } job => Cancel(job.Job, job.Version),
            StepKind.Read when shared.AnyJob(random) is { } job => Read(job.Job),
            StepKind.ReadQueue => ReadQueue(),
            StepKind.ListQueues => ListQueues(),
            StepKind.BurstEnqueue => BurstEnqueue(workload.Burst!),
            StepKind.BurstWait => BurstLease(workload.Burst!, most: 300, waitMs: 3_000),
            StepKind.BurstDue or StepKind.BurstEnd or StepKind.BurstForget => BurstUse(workload.Burst!),
            StepKind.PutQueue => PutQueue(AnyQueue(), OneIn(4) ? OwnKey : null),
            _ => Enqueue(1),
        };
    }

    private ClientCall Enqueue(int count) => Enqueue(count, AnyQueue(), OneIn(4) ? OwnKey : null);

    private ClientCall Enqueue(int count, string queue, string? key)
    {
        var plain = new List<PlainJob>();
        for (int i = 0; i < count; i++) plain.Add(Job(i));
        Operation operation = new()
        {
            Id = history.NextId,
            Client = client,
            Node = _asked.Id.Value,
            Kind = OperationKind.Enqueue,
            Shard = ShardOf(queue),
            InvokedNs = history.NextNs(),
            Queue = queue,
            IdempotencyKey = key,
            KeyBody = $"{_step.Number}",
            Jobs = plain.ConvertAll(Asked),
            IsList = count > 1 || OneIn(8),
        };
        return Submit(operation, ClientCommands.Enqueue(operation, plain));
    }

    private PlainJob Job(int place)
    {
        string name = $"p{_step.Number}.{place}";
        bool big = _random.NextBelow(100) < workload.BigPercent;
        bool bytes = big || OneIn(12);
        string filler = big ? new string('~', 20_000 + (int)_random.NextBelow(180_000)) : "";
        bool unique = OneIn(5);
        long schedule = _random.NextBelow(8);
        int? maxAttempts = OneIn(3) ? 1 + (int)_random.NextBelow(6) : null;
        string? payload = bytes ? name + filler
            : OneIn(20) ? null
            : OneIn(3) ? $"\"{name}\""
            : string.Create(CultureInfo.InvariantCulture, $"{{\"id\":\"{name}\",\"k\":{_random.NextBelow(6)}}}");
        return new PlainJob
        {
            Payload = payload,
            Bytes = bytes,
            ContentType = bytes && OneIn(2) ? "application/x-ünits" : null,
            Type = OneIn(12) ? "mail/письмо" : null,
            Priority = OneIn(4) ? (int)_random.NextBelow(JobLimits.MaxPriority + 1) : null,
            DelayMs = schedule is 0 or 1 ? _random.NextBelow(4_000) : null,
            RunAtMs = schedule == 2 ? SomeTime() : null,
            Key = unique ? UniqueKeys[(int)_random.NextBelow(UniqueKeys.Length)] : null,
            Until = unique ? (UniqueUntil)_random.NextBelow(3) : UniqueUntil.Finished,
            WindowMs = unique ? _random.NextBelow(6_000) : 0,
            OnConflict = unique ? (ConflictChoice)_random.NextBelow(3) : ConflictChoice.Return,
            MaxAttempts = maxAttempts,
            Retry = Retry(maxAttempts),
            ExpireAfterMs = OneIn(8) ? 100 + _random.NextBelow(6_000) : null,
            KeepMs = OneIn(6) ? _random.NextBelow(8_000) : null,
            KeepDeadMs = OneIn(6) ? _random.NextBelow(8_000) : null,
            Tags = OneIn(10) ? OneIn(5) ? [] : ["red", "großes Ding"] : null,
            Headers = OneIn(10) ? ["traceparent", "00-1"] : null,
        };
    }

    /// <summary>By the built-in policy, 5 s and doubling, a run has time for a few attempts only.</summary>
    private RetryPolicy? Retry(int? maxAttempts) => maxAttempts <= 3 && OneIn(2) ? null : new RetryPolicy(
        (BackoffKind)_random.NextBelow(3),
        OneIn(10) ? 0 : 50 + _random.NextBelow(500),
        OneIn(8) ? _random.NextBelow(100) : 1_500,
        _random.NextBelow(4) switch { 0 => 0, 1 => 1_000_000, 2 => (int)_random.NextBelow(500_000), _ => 200_000 });

    /// <summary>Half a second ago to three and a half from now.</summary>
    private long SomeTime() => cluster.Clock.WallUnixMs - 500 + _random.NextBelow(4_000);

    private static AskedJob Asked(PlainJob job) => new()
    {
        Payload = job.Payload is null ? "" : Shots.PayloadText(job.PayloadKind, Encoding.UTF8.GetBytes(job.Payload)),
        UniqueKey = job.Key,
        Until = job.Until,
        WindowMs = job.WindowMs,
        OnConflict = job.OnConflict,
        DelayMs = job.DelayMs,
        RunAtMs = job.RunAtMs,
        ExpireAfterMs = job.ExpireAfterMs,
        Retry = job.Retry,
    };

    /// <summary>The same call again, byte for byte, through whichever node is asked now; or now and then another one under its key.</summary>
    private ClientCall Repeat(Prepared first)
    {
        Operation call = first.Call;
        if (OneIn(6) && OtherBody(call) is { } other) return other;
        ShardId shard = call.Kind is OperationKind.Lease or OperationKind.PutQueue or OperationKind.Enqueue ? ShardOf(call.Queue) : call.Shard;
        var rows = new List<Operation>();
        Operation again = call.Again(history.NextId, client, _asked.Id.Value, shard, history.NextNs(), rows);
        foreach (Operation row in call.Rows)
            rows.Add(row.Again(again.Id + 1 + rows.Count, client, again.Node, shard, history.NextNs()));
        return again.Kind == OperationKind.Lease ? Lease(again, [new LeaseSegment(again.Shard, first.Body)]) : Submit(again, first.Body);
    }

    /// <summary>Something else of the same kind under the key of a call; null when there is nothing to do it with.</summary>
    private ClientCall? OtherBody(Operation call)
    {
        string key = call.IdempotencyKey!;
        switch (call.Kind)
        {
            case OperationKind.Enqueue:
                return Enqueue(1, call.Queue, key);
            case OperationKind.PutQueue:
                return PutQueue(call.Queue, key);
            case OperationKind.Cancel or OperationKind.Lease:
                return null;
            default:
                return shared.TakeGrant(_random) is { } grant && grant.Job.Shard == call.Shard ? OnLeases(call.Kind, [grant], key) : null;
        }
    }

    private ClientCall Lease()
    {
        List<string> queues = [AnyQueue()];
        for (int more = OneIn(3) ? 1 + (int)_random.NextBelow(2) : 0; more > 0; more--)
        {
            string other = AnyQueue();
            if (!queues.Contains(other)) queues.Add(other);
        }

        // Each segment has the queues of one shard that follow each other.
        var runs = new List<List<string>>();
        foreach (string queue in queues)
        {
            if (runs.Count == 0 || ShardOf(runs[^1][0]) != ShardOf(queue)) runs.Add([]);
            runs[^1].Add(queue);
        }

        bool keyed = runs.Count == 1 && OneIn(6);
        Operation operation = new()
        {
            Id = history.NextId,
            Client = client,
            Node = _asked.Id.Value,
            Kind = OperationKind.Lease,
            Shard = ShardOf(queues[0]),
            InvokedNs = history.NextNs(),
            Queue = queues[0],
            Queues = queues,
            IdempotencyKey = keyed ? OwnKey : null,
            KeyBody = $"{_step.Number}",
            DelayMs = OneIn(8) ? null : 150 + _random.NextBelow(6_000),
            PullAheadMs = OneIn(5) ? _random.NextBelow(3_000) : 0,
            WaitMs = OneIn(2) ? 0 : _random.NextBelow(6_000),
            Worker = $"w{_step.Number}",
            SpansShards = runs.Count > 1,
        };
        int jobs = OneIn(6) ? MostJobsOfALease : 1 + (int)_random.NextBelow(4);
        return Lease(operation, runs.ConvertAll(run => new LeaseSegment(ShardOf(run[0]), ClientCommands.Lease(operation, run, jobs))));
    }

    private ClientCall Lease(Operation operation, List<LeaseSegment> segments)
    {
        operation.Life = _asked.Lives;
        history.Add(operation);
        if (operation.IdempotencyKey is not null) shared.Remember(new Prepared(operation, CommandType.Lease, segments[0].Body.ToArray()));
        Node node = _asked.Node!;
        var gone = new CancellationTokenSource();
        ulong before = node.Parts.Shared.LastRequestNumber;
        Task<CommandOutcome> asked = node.LeaseAsync(segments, operation.WaitMs, gone.Token).AsTask();
        // A request over several shards sends more of them later: those are known by their worker.
        if (segments.Count == 1) NoteRequest(operation, node, before);
        return new ClientCall(operation, node, gone) { Command = asked };
    }

    private ClientCall Cancel(JobId job, long? version)
    {
        Operation operation = New(OperationKind.Cancel, "", job, key: OneIn(4) ? OwnKey : null, ifVersion: OneIn(2) ? version : null);
        return Submit(operation, ClientCommands.Cancel(operation));
    }

    private ClientCall Submit(Operation operation, byte[] body)
    {
        history.Add(operation);
        foreach (Operation row in operation.Rows) history.Add(row);
        CommandType type = ClientAnswers.TypeOf(operation.Kind);
        if (operation.IdempotencyKey is not null) shared.Remember(new Prepared(operation, type, body));
        Node node = _asked.Node!;
        var gone = new CancellationTokenSource();
        ulong before = node.Parts.Shared.LastRequestNumber;
        Task<CommandOutcome> asked = node.SubmitAsync(operation.Shard, type, body, operation.IsFinishing, gone.Token).AsTask();
        // Refused at once: what is under way is what was found.
        if (asked.IsCompleted) operation.FoundNoRoom = FinishingRoom.IsTaken(node, body.Length);
        NoteRequest(operation, node, before);
        return new ClientCall(operation, node, gone) { Command = asked };
    }

    private static void NoteRequest(Operation operation, Node node, ulong before)
    {
        ulong after = node.Parts.Shared.LastRequestNumber;
        if (after != before) operation.Request = (node.Parts.Shared.Incarnation, after);
    }

    private ClientCall Read(JobId job)
    {
        Operation operation = New(OperationKind.Read, "", job, stale: OneIn(4));
        history.Add(operation);
        long waitMs = OneIn(3) ? _random.NextBelow(3_000) : 0;
        var gone = new CancellationTokenSource();
        Task<ReadOutcome> read = _asked.Node!.ReadJobAsync(job, withPayload: true, waitMs, Consistency(operation), gone.Token).AsTask();
        return new ClientCall(operation, _asked.Node!, gone) { Read = read };
    }

    private ClientCall ReadQueue()
    {
        string queue = AnyQueue();
        return Read(New(OperationKind.ReadQueue, queue, stale: OneIn(4)), Encoding.UTF8.GetBytes(queue), static (store, name, into) =>
            store.TryWriteQueue(name, new MessagePackWriter(into)));
    }

    /// <summary>The next page of a listing that somebody began, or the first of a new one.</summary>
    private ClientCall ListQueues()
    {
        Operation? before = shared.TakeListing();
        int limit = before?.Limit ?? (OneIn(3) ? 0 : 1 + (int)_random.NextBelow(2));
        var page = new Operation
        {
            Id = history.NextId,
            Client = client,
            Node = _asked.Id.Value,
            Kind = OperationKind.ListQueues,
            Shard = before?.Shard ?? ShardOf(AnyQueue()),
            InvokedNs = history.NextNs(),
            After = before?.Names[^1],
            Limit = limit,
            FirstPage = before is null ? history.NextId : before.FirstPage,
            Stale = before?.Stale ?? OneIn(4),
        };
        byte[] after = page.After is null ? [] : Encoding.UTF8.GetBytes(page.After);
        return Read(page, (After: after, Limit: limit == 0 ? int.MaxValue : limit), static (store, wanted, into) =>
            store.WriteQueues(wanted.After, wanted.Limit, new MessagePackWriter(into)) >= 0);
    }

    private ClientCall Read<TArgument>(Operation operation, TArgument argument, StateRead<TArgument> read)
    {
        history.Add(operation);
        var gone = new CancellationTokenSource();
        Task<ReadOutcome> asked = _asked.Node!.ReadAsync(operation.Shard, Consistency(operation), argument, read, gone.Token).AsTask();
        return new ClientCall(operation, _asked.Node!, gone) { Read = asked };
    }

    private Operation New(
        OperationKind kind,
        string queue,
        JobId? job = null,
        ulong fence = 0,
        string? key = null,
        bool stale = false,
        long? ifVersion = null,
        IReadOnlyList<Operation>? rows = null,
        ModelItem? item = null) => new()
        {
            Id = history.NextId,
            Client = client,
            Node = _asked.Id.Value,
            Kind = kind,
            Shard = job?.Shard ?? ShardOf(queue),
            InvokedNs = history.NextNs(),
            Queue = queue,
            IdempotencyKey = key,
            KeyBody = key is null ? null : $"{_step.Number}",
            Job = job,
            Rows = rows ?? [],
            Fence = fence,
            DelayMs = kind == OperationKind.Extend ? item?.LeaseMs : item?.DelayMs,
            RunAtMs = item?.RunAtMs,
            Dead = item?.Dead == true,
            NewPayload = item?.Payload,
            IfVersion = ifVersion,
            Stale = stale,
        };

    private static ReadConsistency Consistency(Operation operation) =>
        operation.Stale ? ReadConsistency.Stale : ReadConsistency.Linearizable;

    /// <summary>The idempotency key of a call that is made for the first time.</summary>
    private string OwnKey => $"k{_step.Number}";

    private string AnyQueue() => $"q{_random.NextBelow(workload.Queues)}";

    private ShardId ShardOf(string queue) => QueueName.ShardOf(Encoding.UTF8.GetBytes(queue), workload.Shards);

    private bool OneIn(int many) => _random.NextBelow(many) == 0;
}
