using System.Text;
using RaftQueue.Checkers;
using RaftQueue.Jobs;
using RaftQueue.Primitives;
using RaftQueue.Runtime;

namespace RaftQueue.Simulation;

/// <summary>
/// One user: thinks, calls through a random node, waits for the answer or gives up. Looks at its call after every step of the
/// simulation, so that what it saw first is also first in the history.
/// </summary>
internal sealed class SimulatedClient(SimulatedCluster cluster, Workload plan, History history, ClientShared shared, ulong seed)
{
    private const long PatienceMicroseconds = 20_000_000;

    private readonly SplitMix64 _random = new(seed);
    private Operation? _operation;
    private Node? _askedNode;
    private Task<CommandOutcome>? _command;
    private Task<ReadOutcome>? _read;
    private long _nextAt;
    private long _givesUpAt;

    public long NextMicroseconds => _operation is null ? _nextAt : _givesUpAt;

    public bool IsIdle => _operation is null;

    private long Now => cluster.Clock.MonotonicMicroseconds;

    /// <summary>Notes an answer that came; true when one did.</summary>
    public void Poll()
    {
        if (_operation is null) return;
        bool nodeGone = cluster.Nodes.TrueForAll(node => node.Node != _askedNode);
        if (_command is { IsCompleted: true }) NoteCommand(_operation, _command);
        else if (_read is { IsCompleted: true }) NoteRead(_operation, _read.GetAwaiter().GetResult());
        else if (nodeGone || Now >= _givesUpAt) _operation.End = OperationEnd.Info;
        else return;
        history.Returned(_operation);
        if (_operation.End == OperationEnd.Applied) shared.Learn(_operation, _random);
        _operation = null;
        _command = null;
        _read = null;
        _nextAt = Now + (_random.NextBelow(2 * plan.ThinkMs) * 1000);
    }

    /// <summary>Starts the next call when it is time.</summary>
    public void Act()
    {
        if (_operation is not null || Now < _nextAt) return;
        List<SimulatedNode> running = cluster.Nodes.FindAll(node => node.IsRunning);
        if (running.Count == 0)
        {
            _nextAt = Now + 50_000;
            return;
        }

        Node node = running[(int)_random.NextBelow(running.Count)].Node!;
        _givesUpAt = Now + PatienceMicroseconds;
        _askedNode = node;
        long what = _random.NextBelow(100);
        if (what < 35) Enqueue(node);
        else if (what < 60) Lease(node);
        else if (what < 85 && shared.TakeGrant(_random) is { } grant) UseToken(node, grant);
        else if (shared.AnyJob(_random) is { } job && what is < 90 and >= 85) Cancel(node, job);
        else if (shared.AnyJob(_random) is { } known) Read(node, known);
        else Enqueue(node);
        Poll();
    }

    private void Enqueue(Node node)
    {
        if (shared.RepeatKeyed(_random) is { } first && OneIn(3))
        {
            Submit(node, New(OperationKind.Enqueue, first.Queue, first.Payload, first.DelayMs, first.IdempotencyKey, null), 0, default);
            return;
        }

        string queue = $"q{_random.NextBelow(plan.Queues)}";
        bool keyed = OneIn(5);
        bool unique = !keyed && OneIn(6);
        Operation operation = New(
            OperationKind.Enqueue,
            queue,
            $"p{history.NextId}",
            OneIn(4) ? 1 + _random.NextBelow(4_000) : null,
            keyed ? $"k{history.NextId}" : null,
            unique ? $"u{_random.NextBelow(4)}" : null);
        bool big = !keyed && _random.NextBelow(100) < plan.BigPercent;
        Submit(node, operation, big ? 20_000 + (int)_random.NextBelow(180_000) : 0, OneIn(3) ? ConflictChoice.Reject : ConflictChoice.Return);
        if (keyed) shared.Keyed.Add(operation);
    }

    private void Submit(Node node, Operation operation, int bytes, ConflictChoice onConflict)
    {
        history.Add(operation);
        byte[] body = ClientCommands.Enqueue(operation, bytes, onConflict);
        _operation = operation;
        _command = node.SubmitAsync(operation.Shard, CommandType.Enqueue, body, finishing: false).AsTask();
    }

    private void Lease(Node node)
    {
        string queue = $"q{_random.NextBelow(plan.Queues)}";
        ShardId shard = ShardOf(queue);
        string second = $"q{_random.NextBelow(plan.Queues)}";
        bool two = OneIn(3) && second != queue;
        Operation operation = New(OperationKind.Lease, queue, "", null, null, null);
        history.Add(operation);
        long waitMs = OneIn(2) ? 0 : _random.NextBelow(6_000);
        int jobs = 1 + (int)_random.NextBelow(4);
        long leaseMs = 200 + _random.NextBelow(6_000);
        var segments = new List<LeaseSegment>();
        if (!two || ShardOf(second) == shard)
        {
            IReadOnlyList<string> queues = two ? [queue, second] : [queue];
            segments.Add(new LeaseSegment(shard, ClientCommands.Lease(queues, operation.Worker, jobs, leaseMs)));
        }
        else
        {
            segments.Add(new LeaseSegment(shard, ClientCommands.Lease([queue], operation.Worker, jobs, leaseMs)));
            segments.Add(new LeaseSegment(ShardOf(second), ClientCommands.Lease([second], operation.Worker, jobs, leaseMs)));
        }

        operation.SpansShards = segments.Count > 1;
        _operation = operation;
        _command = node.LeaseAsync(segments, waitMs, CancellationToken.None).AsTask();
    }

    private void UseToken(Node node, Grant grant)
    {
        long what = _random.NextBelow(100);
        OperationKind kind = what switch
        {
            < 50 => OperationKind.Ack,
            < 65 => OperationKind.Nack,
            < 80 => OperationKind.Extend,
            < 90 => OperationKind.Release,
            _ => OperationKind.Reschedule,
        };
        long? delayMs = kind == OperationKind.Extend || OneIn(2) ? 1 + _random.NextBelow(3_000) : null;
        Operation operation = New(kind, grant.Queue, "", delayMs, null, null, grant.Job, grant.Fence, dead: OneIn(10));
        history.Add(operation);
        CommandType type = kind switch
        {
            OperationKind.Ack => CommandType.Ack,
            OperationKind.Nack => CommandType.Nack,
            OperationKind.Extend => CommandType.Extend,
            OperationKind.Release => CommandType.Release,
            _ => CommandType.Reschedule,
        };
        _operation = operation;
        _command = node.SubmitAsync(operation.Shard, type, ClientCommands.Token(operation), finishing: true).AsTask();
    }

    private void Cancel(Node node, JobId job)
    {
        Operation operation = New(OperationKind.Cancel, "", "", null, null, null, job);
        history.Add(operation);
        _operation = operation;
        _command = node.SubmitAsync(job.Shard, CommandType.Cancel, ClientCommands.Cancel(job), finishing: true).AsTask();
    }

    private void Read(Node node, JobId job)
    {
        Operation operation = New(OperationKind.Read, "", "", null, null, null, job);
        history.Add(operation);
        _operation = operation;
        long waitMs = OneIn(3) ? _random.NextBelow(3_000) : 0;
        _read = node.ReadJobAsync(job, withPayload: true, waitMs, ReadConsistency.Linearizable).AsTask();
    }

    private static void NoteCommand(Operation operation, Task<CommandOutcome> command) =>
        ClientCommands.Note(operation, command.GetAwaiter().GetResult());

    private static void NoteRead(Operation operation, in ReadOutcome outcome)
    {
        operation.End = outcome.Decided ? OperationEnd.Applied : OperationEnd.NotApplied;
        operation.Index = outcome.Index;
        if (outcome.Decided && outcome.Found) operation.Found = JobSnapshot.Read(outcome.Result.Span);
    }

    private Operation New(
        OperationKind kind,
        string queue,
        string payload,
        long? delayMs,
        string? key,
        string? unique,
        JobId? job = null,
        ulong fence = 0,
        bool dead = false) => new()
        {
            Id = history.NextId,
            Kind = kind,
            Shard = job?.Shard ?? ShardOf(queue),
            InvokedOrder = history.NextOrder(),
            InvokedMicroseconds = Now,
            Queue = queue,
            Payload = payload,
            DelayMs = delayMs,
            IdempotencyKey = key,
            UniqueKey = unique,
            Job = job,
            Fence = fence,
            Dead = dead,
        };

    private ShardId ShardOf(string queue) => QueueName.ShardOf(Encoding.UTF8.GetBytes(queue), plan.Shards);

    private bool OneIn(int many) => _random.NextBelow(many) == 0;
}
