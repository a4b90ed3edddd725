using RaftQueue.Jobs;
using RaftQueue.Primitives;

namespace RaftQueue.Simulation;

/// <summary>What the clients of a run do: a value. The steps come from it and the run's seed, each from a stream of its own.</summary>
/// <param name="Shards">Of the cluster they call.</param>
/// <param name="Clients">How many call at once.</param>
/// <param name="Queues">Named q0, q1, ...</param>
/// <param name="ThinkMs">Between a client's calls, on average.</param>
/// <param name="BigPercent">Of a hundred enqueues so many carry up to 200 KB: checkpoints and transfers come from these.</param>
internal sealed record Workload(int Shards, int Clients, int Queues, long ThinkMs, int BigPercent)
{
    public const int MostClients = 1_000;

    /// <summary>One run of so many has a burst.</summary>
    private const long OneOfBursts = 12;

    /// <summary>How often each kind of step is drawn.</summary>
    private static readonly (StepKind Kind, int Weight)[] Weights =
    [
        (StepKind.Enqueue, 26), (StepKind.EnqueueBatch, 6), (StepKind.Repeat, 7), (StepKind.Lease, 24), (StepKind.Ack, 12), (StepKind.Nack, 4),
        (StepKind.Extend, 4), (StepKind.Release, 3), (StepKind.Reschedule, 3), (StepKind.Cancel, 3), (StepKind.Read, 8),
        (StepKind.ReadQueue, 2), (StepKind.ListQueues, 2), (StepKind.PutQueue, 1),
    ];

    /// <summary>The replicated limits and defaults.</summary>
    public ReplicatedSettings Settings { get; init; } = new();

    /// <summary>The numbers of steps that are not made; all others are made as they would be with them.</summary>
    public IReadOnlyList<int> LeftOut { get; init; } = [];

    /// <summary>In some runs; null for none.</summary>
    public Burst? Burst { get; init; }

    /// <summary>With those of the burst.</summary>
    public int AllClients => Clients + (Burst is null ? 0 : Burst.Clients);

    /// <summary>All queues that clients use, without those of other shards or of no burst.</summary>
    public IEnumerable<string> QueueNames => Enumerable.Range(0, Queues).Select(queue => $"q{queue}").Concat(Burst is null ? [] : [Burst.Queue]);

    /// <summary>What a seed draws for a cluster.</summary>
    public static Workload Draw(int shards, RandomStreams streams)
    {
        Workload drawn = DrawSteady(shards, streams);
        SplitMix64 random = streams.Open("burst");
        // A state with little room would take one batch, and then nothing.
        bool hasRoom = drawn.Settings is { StateHighWaterPages: 0, MaxQueues: > 1_000 };
        return random.NextBelow(OneOfBursts) == 0 && hasRoom ? drawn with { Burst = Burst.Draw(random) } : drawn;
    }

    private static Workload DrawSteady(int shards, RandomStreams streams)
    {
        SplitMix64 random = streams.Open("workload");
        return new Workload(
            shards,
            Clients: 2 + (int)random.NextBelow(6),
            Queues: 1 + (int)random.NextBelow(5),
            ThinkMs: DrawThink(random),
            BigPercent: random.NextBelow(2) == 0 ? 0 : 2 + (int)random.NextBelow(10)) with
        { Settings = DrawSettings(random) };
    }

    /// <summary>Every client's steps in their order, as many as a time has room for.</summary>
    public IReadOnlyList<ClientStep> Steps(long durationMs, RandomStreams streams)
    {
        HashSet<int> leftOut = [.. LeftOut];
        var steps = new List<ClientStep>();
        for (int client = 0; client < Clients; client++)
        {
            SplitMix64 own = streams.Open("steps", client);
            int place = 0;
            for (long ms = 0; ms < durationMs; place++)
            {
                long think = own.NextBelow(2 * ThinkMs);
                ms += think + 1;
                var step = new ClientStep((place * MostClients) + client + 1, client, think, DrawKind(own), own.NextUInt64());
                if (!leftOut.Contains(step.Number)) steps.Add(step);
            }
        }

        if (Burst is not null) AddBurst(Burst, steps, leftOut, streams);
        return steps;
    }

    private void AddBurst(Burst burst, List<ClientStep> steps, HashSet<int> leftOut, RandomStreams streams)
    {
        for (int client = 0; client < Burst.Clients; client++)
        {
            SplitMix64 own = streams.Open("burst steps", client);
            int place = 0;
            foreach (StepKind kind in burst.Steps(client))
            {
                long think = place == 0 ? burst.AtMs + (client == 0 ? 0 : burst.DueMs / 2) : own.NextBelow(2);
                var step = new ClientStep((place * MostClients) + Clients + client + 1, Clients + client, think, kind, own.NextUInt64());
                if (!leftOut.Contains(step.Number)) steps.Add(step);
                place++;
            }
        }
    }

    public override string ToString() =>
        $"{Clients} clients, {Queues} queues, think {ThinkMs} ms, big {BigPercent} %, {LeftOut.Count} steps left out, {(Burst is null ? "" : $"{Burst}, ")}{Settings}";

    /// <summary>Busy clients in one seed of four; else a few calls a second each, which leaves time for more seeds.</summary>
    private static long DrawThink(SplitMix64 random)
    {
        long drawn = random.NextBelow(1_000);
        return drawn < 250 ? 5 + (drawn / 4) : 100 + ((drawn - 250) / 2);
    }

    private static StepKind DrawKind(SplitMix64 random)
    {
        long at = random.NextBelow(Weights.Sum(pair => pair.Weight));
        foreach ((StepKind kind, int weight) in Weights)
        {
            if (at < weight) return kind;
            at -= weight;
        }

        return StepKind.Enqueue;
    }

    private static ReplicatedSettings DrawSettings(SplitMix64 random)
    {
        var defaults = new ReplicatedSettings();
        if (random.NextBelow(2) == 0) return defaults;
        bool isSmall = random.NextBelow(2) == 0;
        bool isFull = isSmall && random.NextBelow(2) == 0;
        return defaults with
        {
            MaxIdempotencyKeys = isSmall && random.NextBelow(2) == 0 ? 2 + random.NextBelow(40) : defaults.MaxIdempotencyKeys,
            MaxQueues = isSmall && random.NextBelow(3) == 0 ? 1 + random.NextBelow(3) : defaults.MaxQueues,
            StateHighWaterPages = isFull ? 30 + random.NextBelow(300) : 0,
            DefaultKeepFinished = random.NextBelow(2) == 0 ? 5 + random.NextBelow(100) : defaults.DefaultKeepFinished,
            // What is finished has to go, or a state that is full stays full.
            DefaultKeepMs = isFull || random.NextBelow(2) == 0 ? 2_000 + random.NextBelow(20_000) : defaults.DefaultKeepMs,
            IdempotencyWindowMs = random.NextBelow(2) == 0 ? 5_000 + random.NextBelow(20_000) : defaults.IdempotencyWindowMs,
            DefaultLeaseMs = 500 + random.NextBelow(5_000),
            DefaultMaxAttempts = 1 + (int)random.NextBelow(25),
        };
    }
}
