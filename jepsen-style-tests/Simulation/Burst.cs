using RaftQueue.Primitives;

namespace RaftQueue.Simulation;

/// <summary>
/// Many jobs of a queue of their own that are due, die and are forgotten at one time each: more than one entry of the log may carry out.
/// Clients of their own call at just those times.
/// </summary>
/// <param name="AtMs">When they are enqueued, from the start.</param>
/// <param name="Jobs">In a batch.</param>
/// <param name="DueMs">When they are due, from then on.</param>
/// <param name="LifeMs">How long after that they die, and leases and keys end.</param>
/// <param name="KeepMs">How long after that they are forgotten.</param>
internal sealed record Burst(long AtMs, int Jobs, long DueMs, long LifeMs, long KeepMs)
{
    public const string Queue = "burst";
    public const int Batches = 3;
    public const int Clients = 8;

    private const long WaitLeadMs = 100;
    private const int StepsAtATime = 3;

    /// <summary>Between the clients' calls: entries follow each other faster than a call is answered.</summary>
    private const long StaggerMicroseconds = 250;

    public static Burst Draw(SplitMix64 random) => new(
        AtMs: 3_000 + random.NextBelow(25_000),
        Jobs: 700 + (int)random.NextBelow(60),
        DueMs: 800 + random.NextBelow(800),
        LifeMs: 300 + random.NextBelow(1_000),
        KeepMs: 200 + random.NextBelow(1_000));

    /// <summary>From when on a client makes a step of a kind, after the first batch was sent, microseconds; null for at once.</summary>
    public long? NotBefore(StepKind kind, int client)
    {
        long? ms = kind switch
        {
            StepKind.BurstWait => DueMs - WaitLeadMs,
            StepKind.BurstDue => DueMs,
            StepKind.BurstEnd => DueMs + LifeMs,
            StepKind.BurstForget => DueMs + LifeMs + KeepMs,
            _ => null,
        };
        return (ms * 1_000) + (client % Clients * StaggerMicroseconds);
    }

    /// <summary>What its clients do, in order.</summary>
    public IEnumerable<StepKind> Steps(int client)
    {
        if (client == 0)
        {
            for (int i = 0; i < Batches; i++) yield return StepKind.BurstEnqueue;
        }

        if (client >= Clients - 2) yield return StepKind.BurstWait;
        foreach (StepKind kind in (StepKind[])[StepKind.BurstDue, StepKind.BurstEnd, StepKind.BurstForget])
        {
            for (int i = 0; i < StepsAtATime; i++) yield return kind;
        }
    }
}
