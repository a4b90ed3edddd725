using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Simulation;

/// <summary>What a seed draws once for its run: shape, and how often each fault happens (a rate of 0 is never).</summary>
internal sealed record SeedPlan
{
    /// <summary>An append of 1 MiB and its last entry: with less room who is behind could never be sent what it lacks.</summary>
    private const long LeastQueuedBytes = 2_500_000;

    private const int LeastResidentPages = PageStore.MinResidentPages;
    private const int UsualResidentPages = 24;
    private const int MostResidentPages = 40;

    /// <summary>No monotonic clock is wrong by more; real ones stay below a hundredth of this.</summary>
    public const long MostDriftPpm = 50_000;

    public required int Nodes { get; init; }

    public required int Shards { get; init; }

    /// <summary>How long faults happen; healing and draining come on top.</summary>
    public required long DurationMs { get; init; }

    public required NetworkWeather Weather { get; init; }

    public required long FaultGapMs { get; init; }

    public required IReadOnlyList<(FaultPattern Pattern, int Weight)> Weights { get; init; }

    /// <summary>Pages of each shard that are in memory at once: so few that all runs evict.</summary>
    public required int ResidentPages { get; init; }

    /// <summary>Requests of its users that a node has under way at once; more are refused.</summary>
    public int MaxPendingRequests { get; init; } = 16_384;

    /// <summary>Bytes of their bodies.</summary>
    public long MaxPendingBytes { get; init; } = 64L * 1024 * 1024;

    /// <summary>Lease requests that wait on the leader of a shard.</summary>
    public int MaxLeaseWaiters { get; init; } = 65_536;

    /// <summary>Reads of its users that a node has under way.</summary>
    public int MaxOpenReads { get; init; } = 131_072;

    /// <summary>Bytes that wait to be sent on a connection.</summary>
    public long MaxQueuedBytes { get; init; } = 32L * 1024 * 1024;

    /// <summary>Before everything heals, a majority alone has to make progress.</summary>
    public required bool HealsMajorityFirst { get; init; }

    /// <summary>What is then wrong with the others for ever; null when that is drawn for each.</summary>
    public FaultKind? Affliction { get; init; }

    /// <summary>
    /// The nodes whose wall clocks may be wrong, fewer than half: with more a majority's median may be wrong too. The second of five is
    /// only ever behind.
    /// </summary>
    public required IReadOnlyList<int> WrongClocks { get; init; }

    public static SeedPlan Draw(RandomStreams streams)
    {
        SplitMix64 random = streams.Open("plan");
        bool OneIn(int many) => random.NextBelow(many) == 0;
        int nodes = OneIn(3) ? 5 : 3;
        SplitMix64 limits = streams.Open("limits");
        bool isSmall = limits.NextBelow(2) == 0;
        long Limit(long usual, long least, long spread) => isSmall && limits.NextBelow(3) == 0 ? least + limits.NextBelow(spread) : usual;
        return new SeedPlan
        {
            MaxPendingRequests = (int)Limit(16_384, 2, 6),
            MaxPendingBytes = Limit(64L * 1024 * 1024, 2_000, 500_000),
            MaxLeaseWaiters = (int)Limit(65_536, 1, 3),
            MaxOpenReads = (int)Limit(131_072, 1, 2),
            MaxQueuedBytes = Limit(32L * 1024 * 1024, LeastQueuedBytes, 8_000_000),
            Nodes = nodes,
            Shards = OneIn(3) ? 3 : 1,
            DurationMs = 40_000 + random.NextBelow(25_000),
            Weather = DrawWeather(streams.Open("weather")) with { TransferBytesPerMs = DrawTransferSpeed(streams.Open("transfers")) },
            FaultGapMs = DrawGap(random),
            ResidentPages = UsualResidentPages + (int)random.NextBelow(MostResidentPages + 1 - UsualResidentPages),
            HealsMajorityFirst = OneIn(2),
            Weights = [.. Enum.GetValues<FaultPattern>().Select(pattern => (pattern, Weight(pattern, streams)))],
            WrongClocks = DrawWrongClocks(nodes, random),
        };
    }

    /// <summary>The least where a state stays so small that more would hold all of it.</summary>
    public int ResidentPagesFor(Workload workload) => workload.Settings.StateHighWaterPages > 0 ? LeastResidentPages : ResidentPages;

    /// <summary>The load that goes with it.</summary>
    public Workload DrawWorkload(RandomStreams streams) => Workload.Draw(Shards, streams);

    public override string ToString() =>
        $"{Nodes} nodes, {Shards} shards, {DurationMs} ms, {ResidentPages} pages in memory, room for {MaxPendingRequests} requests, {MaxPendingBytes} bytes, {MaxLeaseWaiters} waiting leases, {MaxOpenReads} reads, {MaxQueuedBytes} bytes a connection, {(HealsMajorityFirst ? "a majority first, " : "")}{Weather}, "
        + $"wrong clocks {string.Join(' ', WrongClocks)}, a fault each {FaultGapMs} ms of "
        + string.Join(' ', Weights.Where(pair => pair.Weight > 0).Select(pair => $"{pair.Pattern}:{pair.Weight}"));

    private static List<int> DrawWrongClocks(int nodes, SplitMix64 random)
    {
        int first = 1 + (int)random.NextBelow(nodes);
        return nodes < 5 || random.NextBelow(2) == 0 ? [first] : [first, 1 + ((first + (int)random.NextBelow(nodes - 1)) % nodes)];
    }

    /// <summary>From a fault or two in all to several a second.</summary>
    private static long DrawGap(SplitMix64 random) => random.NextBelow(8) switch
    {
        0 => 60 + random.NextBelow(300),
        1 => 5_000 + random.NextBelow(30_000),
        _ => 300 + random.NextBelow(4_000),
    };

    /// <summary>In some runs fetching a checkpoint takes so long that its sender writes others meanwhile.</summary>
    private static long DrawTransferSpeed(SplitMix64 random) => random.NextBelow(4) == 0 ? 300 + random.NextBelow(3_000) : 0;

    private static NetworkWeather DrawWeather(SplitMix64 random)
    {
        int Sometimes(int most) => random.NextBelow(2) == 0 ? 0 : 1 + (int)random.NextBelow(most);
        return new NetworkWeather
        {
            LossPercent = Sometimes(random.NextBelow(4) == 0 ? 30 : 10),
            ReplayPercent = Sometimes(random.NextBelow(4) == 0 ? 50 : 10),
            OvertakenPercent = Sometimes(random.NextBelow(4) == 0 ? 50 : 10),
            LatePerMille = Sometimes(30),
            LateMs = 20 + (int)random.NextBelow(600),
            SplitPercent = Sometimes(30),
            BytesPerMs = random.NextBelow(3) == 0 ? 0 : 2_000 + random.NextBelow(200_000),
        };
    }

    /// <summary>Half of the patterns never happen in a seed.</summary>
    private static int Weight(FaultPattern pattern, RandomStreams streams)
    {
        SplitMix64 random = streams.Open("weight", (long)pattern);
        int weight = random.NextBelow(2) == 0 ? 0 : 1 + (int)random.NextBelow(12);
        return pattern switch
        {
            FaultPattern.PowerRound or FaultPattern.RollingRestart => weight / 2,
            FaultPattern.AllCrash => weight / 3,
            _ => weight,
        };
    }
}
