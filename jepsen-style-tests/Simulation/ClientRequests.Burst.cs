using RaftQueue.Checkers;
using RaftQueue.Checkers.Model;
using RaftQueue.Jobs;
using RaftQueue.Primitives;
using RaftQueue.Runtime;

namespace RaftQueue.Simulation;

/// <summary>Calls on a <see cref="Burst"/>.</summary>
internal sealed partial class ClientRequests
{
    private static readonly OperationKind[] OnBurstLeases =
        [OperationKind.Ack, OperationKind.Nack, OperationKind.Extend, OperationKind.Release, OperationKind.Reschedule];

    /// <summary>One batch. All batches have the same time to run; every second job has a unique key, held for a window or until it is finished.</summary>
    private ClientCall BurstEnqueue(Burst burst)
    {
        long untilDueMs = UntilMs(burst.DueMs);
        var plain = new List<PlainJob>();
        for (int i = 0; i < burst.Jobs; i++) plain.Add(BurstJob(burst, i, untilDueMs));
        return BurstEnqueue(plain);
    }

    private PlainJob BurstJob(Burst burst, int place, long untilDueMs) => new()
    {
        Payload = $"\"p{_step.Number}.{place}\"",
        RunAtMs = cluster.Clock.WallUnixMs + untilDueMs,
        Key = place % 2 == 0 ? $"b{_step.Number}.{place}" : null,
        Until = place % 4 == 0 ? UniqueUntil.Window : UniqueUntil.Finished,
        WindowMs = Math.Max(1, untilDueMs + burst.LifeMs),
        MaxAttempts = 1,
        ExpireAfterMs = burst.LifeMs,
        KeepDeadMs = burst.KeepMs,
    };

    private ClientCall BurstEnqueue(List<PlainJob> plain)
    {
        Operation operation = new()
        {
            Id = history.NextId,
            Client = client,
            Node = _asked.Id.Value,
            Kind = OperationKind.Enqueue,
            Shard = ShardOf(Burst.Queue),
            InvokedNs = history.NextNs(),
            Queue = Burst.Queue,
            IsList = plain.Count > 1,
            Jobs = plain.ConvertAll(Asked),
        };
        return Submit(operation, ClientCommands.Enqueue(operation, plain));
    }

    /// <summary>Leases that end when the other jobs die.</summary>
    private ClientCall BurstLease(Burst burst, int most, long waitMs)
    {
        Operation operation = new()
        {
            Id = history.NextId,
            Client = client,
            Node = _asked.Id.Value,
            Kind = OperationKind.Lease,
            Shard = ShardOf(Burst.Queue),
            InvokedNs = history.NextNs(),
            Queue = Burst.Queue,
            Queues = [Burst.Queue],
            IdempotencyKey = waitMs == 0 && OneIn(3) ? OwnKey : null,
            KeyBody = $"{_step.Number}",
            DelayMs = Math.Max(50, UntilMs(burst.DueMs + burst.LifeMs)),
            PullAheadMs = waitMs == 0 && OneIn(3) ? 500 : 0,
            WaitMs = waitMs,
            Worker = $"w{_step.Number}",
        };
        return Lease(operation, [new LeaseSegment(operation.Shard, ClientCommands.Lease(operation, operation.Queues, most))]);
    }

    private ClientCall BurstUse(Burst burst)
    {
        long way = _random.NextBelow(9);
        if (way < 2) return BurstLease(burst, 1 + (int)_random.NextBelow(3), waitMs: 0);
        if (way < 5 && shared.AnyBurstGrant(_random) is { } grant)
            return OnLeases(OnBurstLeases[(int)_random.NextBelow(OnBurstLeases.Length)], [grant], OneIn(3) ? OwnKey : null);
        if (way is 5 or 6 && shared.AnyBurstJob(_random) is { } job) return Cancel(job, version: null);
        PlainJob late = BurstJob(burst, place: 0, untilDueMs: 0) with { RunAtMs = null, OnConflict = (ConflictChoice)_random.NextBelow(3) };
        return BurstEnqueue([.. Enumerable.Range(0, 1 + (int)_random.NextBelow(20)).Select(place => late with
        {
            Payload = $"\"p{_step.Number}.{place}\"",
            Key = TakenKey(burst),
        })]);
    }

    /// <summary>A key that some job of the first batches has, if nothing went wrong.</summary>
    private string TakenKey(Burst burst) => $"b{(_random.NextBelow(Burst.Batches) * Workload.MostClients) + workload.Clients + 1}.{2 * _random.NextBelow(burst.Jobs / 2)}";

    /// <summary>Ms from now to a time that is counted from the burst's first batch.</summary>
    private long UntilMs(long ms) => ((shared.BurstSince(cluster.Clock.MonotonicMicroseconds) - cluster.Clock.MonotonicMicroseconds) / 1_000) + ms;
}
