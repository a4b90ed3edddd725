using RaftQueue.Primitives;

namespace RaftQueue.Simulation;

/// <summary>Runs in which a certain kind of mistake shows soon.</summary>
internal static class Shapes
{
    /// <summary>What any seed draws.</summary>
    public static RunCase Any(ulong seed) => RunCase.Draw(seed);

    /// <summary>A short run of three nodes and one shard with only these faults, often.</summary>
    public static Func<ulong, RunCase> Often(params FaultPattern[] patterns) => Often(3, 400, patterns);

    public static Func<ulong, RunCase> Often(int nodes, long gapMs, params FaultPattern[] patterns) => seed =>
    {
        var streams = new RandomStreams(seed);
        SeedPlan plan = SeedPlan.Draw(streams) with
        {
            Nodes = nodes,
            Shards = 1,
            DurationMs = 12_000,
            FaultGapMs = gapMs,
            Weights = [.. patterns.GroupBy(pattern => pattern).Select(group => (group.Key, group.Count()))],
            WrongClocks = [1],
            Weather = seed % 2 == 0 ? new NetworkWeather() : new NetworkWeather { LossPercent = 3, LatePerMille = 10, LateMs = 300 },
        };
        return RunCase.Draw(seed, plan) with { Workload = new Workload(1, 4, 2, 20, 0) };
    };

    /// <summary>Rounds of faults that follow each other in a certain way, with times (and salts that are 0) drawn anew for each.</summary>
    public static Func<ulong, RunCase> Rounds(int nodes, int rounds, long roundMs, Func<SplitMix64, FaultEvent[]> draw) => seed =>
    {
        RunCase run = Often(nodes, 1_000)(seed);
        SplitMix64 random = new RandomStreams(seed).Open("rounds");
        var events = new List<FaultEvent>();
        for (int i = 0; i < rounds; i++)
        {
            long startMs = 1_500 + (i * roundMs);
            events.AddRange(draw(random).Select(fault => fault with
            {
                AtMs = startMs + fault.AtMs,
                Salt = fault.Salt == 0 ? random.NextUInt64() : fault.Salt,
            }));
        }

        return run with
        {
            Plan = run.Plan with { DurationMs = 1_500 + (rounds * roundMs), Weather = new NetworkWeather(), HealsMajorityFirst = false },
            Schedule = new FaultSchedule([.. events.OrderBy(fault => fault.AtMs)]),
        };
    };

    /// <summary>Leaders die one after the other, and come back.</summary>
    public static FaultEvent[] LeadersFall(SplitMix64 random) =>
        [new FaultEvent(random.NextBelow(120), random.NextBelow(2) == 0 ? FaultKind.Die : FaultKind.Isolate, Leader, DurationMs: 150 + random.NextBelow(700), Amount: 1)];

    /// <summary>A follower is away for so long that the log behind it is released.</summary>
    public static FaultEvent[] FollowerIsAwayForLong(SplitMix64 random) =>
        [new FaultEvent(0, FaultKind.Isolate, FaultTarget.Node(1 + (int)random.NextBelow(3)), DurationMs: 5_000)];

    private static FaultTarget Leader => FaultTarget.LeaderOf(0);

    /// <summary>The same with payloads that make checkpoints.</summary>
    public static Func<ulong, RunCase> Big(Func<ulong, RunCase> shape) => seed =>
    {
        RunCase run = shape(seed);
        return run with { Workload = run.Workload with { BigPercent = 25 } };
    };

    /// <summary>The same with so many of them that checkpoints follow each other closely.</summary>
    public static Func<ulong, RunCase> VeryBig(Func<ulong, RunCase> shape) => seed =>
    {
        RunCase run = shape(seed);
        return run with { Workload = run.Workload with { BigPercent = 70 } };
    };

    /// <summary>The same, and in the end a majority alone has to make progress while everything else stays as it is.</summary>
    public static Func<ulong, RunCase> MajorityFirst(Func<ulong, RunCase> shape) => seed =>
    {
        RunCase run = shape(seed);
        return run with { Plan = run.Plan with { HealsMajorityFirst = true } };
    };

    /// <summary>The same, and in the end the others hear nothing for ever, but are heard.</summary>
    public static Func<ulong, RunCase> DeafOnesStay(Func<ulong, RunCase> shape) => seed =>
    {
        RunCase run = MajorityFirst(shape)(seed);
        return run with { Plan = run.Plan with { Affliction = FaultKind.Deafen } };
    };

    /// <summary>The same with three shards, whose leaders spread over the nodes by handing over.</summary>
    public static Func<ulong, RunCase> Shards(Func<ulong, RunCase> shape) => seed =>
    {
        RunCase run = shape(seed);
        return run with { Plan = run.Plan with { Shards = 3 }, Workload = run.Workload with { Shards = 3 } };
    };

    /// <summary>The same with clients that hardly wait between calls.</summary>
    public static Func<ulong, RunCase> Busy(Func<ulong, RunCase> shape) => seed =>
    {
        RunCase run = shape(seed);
        return run with { Workload = run.Workload with { Clients = 6, ThinkMs = 4 } };
    };

    /// <summary>The same where many messages come twice, the second time late, or overtake each other.</summary>
    public static Func<ulong, RunCase> Replayed(Func<ulong, RunCase> shape) => seed =>
    {
        RunCase run = shape(seed);
        return run with { Plan = run.Plan with { Weather = new NetworkWeather { ReplayPercent = 50, OvertakenPercent = 30 } } };
    };

    /// <summary>The same with so many clients that wait for so long between calls.</summary>
    public static Func<ulong, RunCase> Clients(int clients, long thinkMs, Func<ulong, RunCase> shape) => seed =>
    {
        RunCase run = shape(seed);
        return run with { Workload = run.Workload with { Clients = clients, ThinkMs = thinkMs } };
    };

    /// <summary>The same where a node has room for so few requests at once that many are refused.</summary>
    public static Func<ulong, RunCase> Refusing(int maxPendingRequests, Func<ulong, RunCase> shape) => seed =>
    {
        RunCase run = shape(seed);
        return run with { Plan = run.Plan with { MaxPendingRequests = maxPendingRequests } };
    };

    /// <summary>The same on a network where many messages are late.</summary>
    public static Func<ulong, RunCase> Late(Func<ulong, RunCase> shape) => seed =>
    {
        RunCase run = shape(seed);
        return run with { Plan = run.Plan with { Weather = new NetworkWeather { LatePerMille = 60, LateMs = 900 } } };
    };
}
