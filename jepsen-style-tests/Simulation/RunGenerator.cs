using FsCheck;
using FsCheck.Fluent;
using RaftQueue.Jobs;

namespace RaftQueue.Simulation;

/// <summary>
/// FsCheck's generators of whole runs, put together from generators of their parts: shape, weather, room, load and faults are values of
/// their own, and no part is drawn by the streams of a seed. A larger size gives more faults.
/// </summary>
internal static class RunGenerator
{
    private const int MiB = 1024 * 1024;

    /// <summary>Any run.</summary>
    public static Gen<RunCase> Runs() =>
        from seed in Gen.Choose(1, int.MaxValue)
        from shape in Shapes()
        from weather in Weathers()
        from roomy in Rooms(shape with { Weather = weather })
        from load in Loads(roomy.Shards)
        from faults in FaultGenerator.Schedules(roomy)
        select new RunCase((ulong)seed, roomy, load, faults);

    private static Gen<SeedPlan> Shapes() =>
        from nodes in Gen.Elements(3, 3, 5)
        from shards in Gen.Elements(1, 1, 3)
        from durationMs in Gen.Choose(15_000, 50_000)
        from pages in Gen.Elements(4_000, 200, 24, 24)
        from majorityFirst in Gen.Elements(true, false)
        from wrongClocks in WrongClocks(nodes)
        select new SeedPlan
        {
            Nodes = nodes,
            Shards = shards,
            DurationMs = durationMs,
            Weather = new NetworkWeather(),
            FaultGapMs = durationMs,
            Weights = [], // the faults are drawn one by one
            ResidentPages = pages,
            HealsMajorityFirst = majorityFirst,
            WrongClocks = wrongClocks,
        };

    /// <summary>Fewer than half.</summary>
    private static Gen<int[]> WrongClocks(int nodes) =>
        from order in Gen.Shuffle(Enumerable.Range(1, nodes))
        from count in Gen.Choose(1, (nodes - 1) / 2)
        select order.Take(count).ToArray();

    private static Gen<NetworkWeather> Weathers() =>
        from loss in Percent(30)
        from replay in Percent(50)
        from overtaken in Percent(50)
        from late in SometimesUpTo(30)
        from lateMs in Gen.Choose(20, 600)
        from split in SometimesUpTo(30)
        from speed in SometimesUpTo(200_000)
        from transfers in Gen.Frequency((3, Gen.Constant(0)), (1, Gen.Choose(300, 3_300)))
        select new NetworkWeather
        {
            LossPercent = loss,
            ReplayPercent = replay,
            OvertakenPercent = overtaken,
            LatePerMille = late,
            LateMs = lateMs,
            SplitPercent = split,
            BytesPerMs = speed == 0 ? 0 : 2_000 + speed,
            TransferBytesPerMs = transfers,
        };

    private static Gen<SeedPlan> Rooms(SeedPlan plan) =>
        from requests in Room(2, 8, plan.MaxPendingRequests)
        from bytes in Room(2_000, 500_000, (int)plan.MaxPendingBytes)
        from waiters in Room(1, 3, plan.MaxLeaseWaiters)
        from reads in Room(1, 2, plan.MaxOpenReads)
        // An append of 1 MiB and its last entry have to fit.
        from queued in Room(5 * MiB / 2, 10 * MiB, (int)plan.MaxQueuedBytes)
        select plan with
        {
            MaxPendingRequests = requests,
            MaxPendingBytes = bytes,
            MaxLeaseWaiters = waiters,
            MaxOpenReads = reads,
            MaxQueuedBytes = queued,
        };

    private static Gen<Workload> Loads(int shards) =>
        from clients in Gen.Choose(1, 7)
        from queues in Gen.Choose(1, 5)
        from thinkMs in Gen.Frequency((1, Gen.Choose(5, 65)), (3, Gen.Choose(100, 500)))
        from big in SometimesUpTo(12)
        from settings in Gen.OneOf(Gen.Constant(new ReplicatedSettings()), Settings())
        select new Workload(shards, clients, queues, thinkMs, big) { Settings = settings };

    private static Gen<ReplicatedSettings> Settings()
    {
        var usual = new ReplicatedSettings();
        return
            from keys in Room(2, 42, usual.MaxIdempotencyKeys)
            from queues in Room(1, 4, usual.MaxQueues)
            from pages in Room(30, 330, 0)
            from kept in Room(5, 105, usual.DefaultKeepFinished)
            // What is finished has to go, or a state that is full stays full.
            from keepMs in pages > 0 ? Gen.Choose(2_000, 22_000).Select(ms => (long)ms) : Room(2_000, 22_000, usual.DefaultKeepMs)
            from windowMs in Room(5_000, 25_000, usual.IdempotencyWindowMs)
            from leaseMs in Gen.Choose(500, 5_500)
            from attempts in Gen.Choose(1, 25)
            select usual with
            {
                MaxIdempotencyKeys = keys,
                MaxQueues = queues,
                StateHighWaterPages = pages,
                DefaultKeepFinished = kept,
                DefaultKeepMs = keepMs,
                IdempotencyWindowMs = windowMs,
                DefaultLeaseMs = leaseMs,
                DefaultMaxAttempts = attempts,
            };
    }

    private static Gen<int> SometimesUpTo(int most) => Gen.Frequency((1, Gen.Constant(0)), (1, Gen.Choose(1, most)));

    private static Gen<int> Percent(int most) => Gen.Frequency((4, Gen.Constant(0)), (3, Gen.Choose(1, 10)), (1, Gen.Choose(1, most)));

    /// <summary>Little in one run of six.</summary>
    private static Gen<int> Room(int least, int most, int usual) => Gen.Frequency((5, Gen.Constant(usual)), (1, Gen.Choose(least, most)));

    private static Gen<long> Room(int least, int most, long usual) =>
        Gen.Frequency((2, Gen.Constant(usual)), (1, Gen.Choose(least, most).Select(drawn => (long)drawn)));
}
