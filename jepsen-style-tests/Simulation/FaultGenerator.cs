using FsCheck;
using FsCheck.Fluent;
using RaftQueue.Consensus;

namespace RaftQueue.Simulation;

/// <summary>
/// FsCheck's generators of faults: each kind with its own targets, times and amounts, alone or in rows that mean something together.
/// What they make is as fair as what a seed draws: only the plan's clocks are wrong, and no clock runs worse than is promised for.
/// </summary>
internal static class FaultGenerator
{
    private const int HourMs = 3_600_000;

    private static readonly FaultKind[] Kinds = Enum.GetValues<FaultKind>();

    /// <summary>As many rows as the size says, at most, anywhere in the run, in the order of their times.</summary>
    public static Gen<FaultSchedule> Schedules(SeedPlan plan) =>
        from rows in Gen.ListOf(
            from atMs in Gen.Choose(0, (int)plan.DurationMs - 1)
            from row in Row(plan)
            select row.Select(fault => fault with { AtMs = fault.AtMs + atMs }))
        select new FaultSchedule([.. rows.SelectMany(row => row).OrderBy(fault => fault.AtMs)]);

    /// <summary>One fault of any kind: for what it is, not when.</summary>
    public static Gen<FaultEvent> Fault(SeedPlan plan) => Gen.Elements(Kinds).SelectMany(kind => Of(kind, plan));

    private static Gen<FaultEvent[]> Row(SeedPlan plan) => Gen.Frequency(
        (12, Fault(plan).Select(fault => (FaultEvent[])[fault])),
        (1, OneAfterTheOther(plan, FaultKind.Stop)),
        (1, OneAfterTheOther(plan, FaultKind.LosePower)),
        (1, OneAfterTheOther(plan, FaultKind.Die)),
        (1, DiesThenLosesPower(plan)),
        (2, Damage(plan)),
        (1, Tries(plan, FaultKind.Wipe, 120)),
        (1, FailsWhileItStarts(plan)),
        (1, Strobe(plan)),
        (2, Membership(plan)));

    private static Gen<FaultEvent> Of(FaultKind kind, SeedPlan plan) => kind switch
    {
        FaultKind.JumpWall => JumpWall(plan),
        FaultKind.HandOver or FaultKind.RemoveMember or FaultKind.AddLearner or FaultKind.PromoteLearner => OfLeader(kind, plan),
        _ =>
            from node in Targets(plan)
            from other in NodeBut(plan, node)
            from durationMs in DurationMs(kind)
            from amount in Amount(kind, plan)
            from salt in Salts()
            select new FaultEvent(0, kind, node, HasOther(kind) ? other : default, durationMs, amount, salt),
    };

    private static bool HasOther(FaultKind kind) => kind is FaultKind.CutPair or FaultKind.CutOneWay or FaultKind.Disconnect or FaultKind.Clog;

    private static Gen<FaultTarget> Targets(SeedPlan plan) => Gen.Frequency(
        (2, Gen.Choose(1, plan.Nodes).Select(FaultTarget.Node)), (1, Gen.Choose(0, plan.Shards - 1).Select(FaultTarget.LeaderOf)));

    private static Gen<FaultTarget> NodeBut(SeedPlan plan, FaultTarget one) =>
        Gen.Elements(Enumerable.Range(1, plan.Nodes).Where(number => one.IsLeader || number != one.Number)).Select(FaultTarget.Node);

    private static Gen<ulong> Salts() => Gen.Choose(1, int.MaxValue).Select(salt => (ulong)salt);

    private static Gen<long> DurationMs(FaultKind kind) => kind switch
    {
        FaultKind.Disconnect or FaultKind.DriftClock => Gen.Constant(0L),
        <= FaultKind.SpoilTransfers or FaultKind.CutClients => MostlyUpTo(50, 2_500, 12_000),
        FaultKind.Wipe => Between(1, 3_000),
        FaultKind.Pause => MostlyUpTo(20, 1_500, 10_000),
        FaultKind.Stop => Between(1, 2_000),
        FaultKind.HangLog => Between(20, 3_000),
        FaultKind.HangCheckpoint => Between(100, 8_000),
        FaultKind.HangApply => MostlyUpTo(20, 2_000, 10_000),
        FaultKind.SlowDisk or FaultKind.SlowApply or FaultKind.BreakDisk or FaultKind.FullDisk => Between(500, 9_000),
        _ => MostlyUpTo(1, 1_000, 8_000),
    };

    private static Gen<long> Amount(FaultKind kind, SeedPlan plan) => kind switch
    {
        FaultKind.Partition => Ways(plan),
        FaultKind.LoseMessages => Gen.Elements(Enum.GetValues<MessageKind>()).Select(message => (long)message),
        FaultKind.LosePower or FaultKind.BreakDisk => Between(0, 1),
        FaultKind.CrashInDisk => MostlyUpTo(1, 20, 200),
        FaultKind.Stop => Between(0, 4_000),
        FaultKind.DriftClock => Gen.OneOf(Between(-1_000, 1_000), Between((int)-SeedPlan.MostDriftPpm, (int)SeedPlan.MostDriftPpm)),
        FaultKind.SlowDisk => MostlyUpTo(200, 10_000, 100_000),
        FaultKind.SlowApply => MostlyUpTo(500, 20_000, 400_000),
        FaultKind.FailSync or FaultKind.FailWrite => Between(1, 60),
        FaultKind.FailRead or FaultKind.FailAllocate => Between(1, 6),
        >= FaultKind.FailCreate and <= FaultKind.FailSyncDirectory => Between(1, 3),
        FaultKind.FullDisk => Between(0, 2).Select(steps => steps * 512 * 1024),
        FaultKind.DamageCheckpoint => Between(0, plan.Shards - 1),
        _ => Gen.Constant(0L),
    };

    /// <summary>
    /// The number of a <see cref="FaultKind.Partition"/>: any ways, or two sides that do not hear each other, perhaps in one direction, perhaps
    /// with a node that both hear.
    /// </summary>
    private static Gen<long> Ways(SeedPlan plan) => Gen.Frequency(
        (1, Gen.ArrayOf(Gen.Elements(false, true), plan.Nodes * plan.Nodes).Select(cut => Ways(plan, (from, to) => cut[(from * plan.Nodes) + to]))),
        (3,
            from side in Gen.Choose(1, (1 << plan.Nodes) - 2)
            from oneWay in Gen.Elements(false, false, true)
            from bridge in Gen.Choose(-plan.Nodes, plan.Nodes - 1)
            select Ways(plan, side, oneWay, bridge)));

    /// <summary>What the first side says (and, unless one way only, what the other one does) does not arrive; the bridge, if it is a node, hears all.</summary>
    private static long Ways(SeedPlan plan, int side, bool oneWay, int bridge)
    {
        bool IsIn(int node) => (side >> node & 1) == 1;
        return Ways(plan, (from, to) => IsIn(from) != IsIn(to) && from != bridge && to != bridge && (!oneWay || IsIn(from)));
    }

    private static long Ways(SeedPlan plan, Func<int, int, bool> isCut)
    {
        long ways = 0;
        for (int from = 0; from < plan.Nodes; from++)
        {
            for (int to = 0; to < plan.Nodes; to++)
            {
                if (from != to && isCut(from, to)) ways |= 1L << ((from * NetworkFaults.Width) + to);
            }
        }

        return ways;
    }

    /// <summary>Of two wrong clocks the second is only ever behind: with both ahead, and two others not heard, the median would be ahead as well.</summary>
    private static Gen<FaultEvent> JumpWall(SeedPlan plan) =>
        from node in Gen.Elements<int>(plan.WrongClocks)
        from byMs in Gen.Frequency((1, Gen.Constant(0L)), (1, Between(-2_000, 2_000)), (1, Between(-HourMs, HourMs)))
        from salt in Salts()
        select new FaultEvent(
            0, FaultKind.JumpWall, FaultTarget.Node(node), Amount: node == plan.WrongClocks[0] ? byMs : -Math.Abs(byMs), Salt: salt);

    private static Gen<FaultEvent> OfLeader(FaultKind kind, SeedPlan plan) =>
        from shard in Gen.Choose(0, plan.Shards - 1)
        from other in Gen.Choose(1, plan.Nodes)
        from more in kind == FaultKind.AddLearner ? Gen.Choose(0, 1) : Gen.Constant(0)
        from salt in Salts()
        select new FaultEvent(
            0,
            kind,
            FaultTarget.LeaderOf(shard),
            FaultTarget.Node(other),
            Amount: kind == FaultKind.HandOver ? shard : (2 * shard) + more,
            Salt: salt);

    /// <summary>The same of every node, all at once or with a time between them.</summary>
    private static Gen<FaultEvent[]> OneAfterTheOther(SeedPlan plan, FaultKind kind) =>
        from gapMs in Gen.Frequency((1, Gen.Constant(0)), (1, Gen.Choose(1, 400)), (1, Gen.Choose(200, 3_000)))
        from faults in Gen.CollectToArray(Enumerable.Range(1, plan.Nodes), number => Of(kind, plan).Select(fault =>
            fault with { AtMs = (number - 1) * gapMs, Node = FaultTarget.Node(number) }))
        select faults;

    /// <summary>While it is down, or shortly after it is back.</summary>
    private static Gen<FaultEvent[]> DiesThenLosesPower(SeedPlan plan) =>
        from number in Gen.Choose(1, plan.Nodes)
        from dies in Of(FaultKind.Die, plan)
        from power in Of(FaultKind.LosePower, plan)
        from afterMs in Gen.Choose(0, (int)dies.DurationMs + 300)
        select (FaultEvent[])[dies with { Node = FaultTarget.Node(number) }, power with { Node = FaultTarget.Node(number), AtMs = afterMs }];

    /// <summary>Tried again while the others do not hold everything, then most often read, because the node starts again.</summary>
    private static Gen<FaultEvent[]> Damage(SeedPlan plan) =>
        from kind in Gen.Elements(FaultKind.DamageLog, FaultKind.DamageLog, FaultKind.DamageCheckpoint, FaultKind.DamageHardState, FaultKind.DamageIdentity)
        from tries in Tries(plan, kind, 37)
        from crash in Gen.Elements(FaultKind.Die, FaultKind.LosePower).SelectMany(crash => Of(crash, plan))
        from afterMs in Gen.Choose(150, 550)
        from crashes in Gen.Elements(true, true, true, false)
        select crashes ? (FaultEvent[])[.. tries, crash with { Node = tries[0].Node, AtMs = afterMs }] : tries;

    private static Gen<FaultEvent[]> Tries(SeedPlan plan, FaultKind kind, int gapMs) =>
        from number in Gen.Choose(1, plan.Nodes)
        from fault in Of(kind, plan)
        select Enumerable.Range(0, 4).Select(place => fault with { Node = FaultTarget.Node(number), AtMs = place * gapMs }).ToArray();

    /// <summary>Some errors happen only then.</summary>
    private static Gen<FaultEvent[]> FailsWhileItStarts(SeedPlan plan) =>
        from number in Gen.Choose(1, plan.Nodes)
        from down in Gen.Elements(FaultKind.Die, FaultKind.Die, FaultKind.Wipe).SelectMany(kind => Of(kind, plan))
        from error in Gen.Elements(Kinds.Where(kind => kind is >= FaultKind.FailSync and <= FaultKind.FailSyncDirectory)).SelectMany(kind => Of(kind, plan))
        select (FaultEvent[])
        [
            down with { Node = FaultTarget.Node(number) },
            error with { Node = FaultTarget.Node(number), AtMs = down.DurationMs / 2 },
        ];

    /// <summary>A wall clock that jumps to and fro.</summary>
    private static Gen<FaultEvent[]> Strobe(SeedPlan plan) =>
        from jump in JumpWall(plan)
        from beatMs in Gen.Choose(5, 400)
        from beats in Gen.Choose(3, 20)
        select Enumerable.Range(0, beats).Select(beat => jump with { AtMs = (long)beat * beatMs, Amount = beat % 2 == 0 ? jump.Amount : 0 }).ToArray();

    /// <summary>One is taken out and put back, as an operator does; the leader may be none at the moment, so that each step is asked for again.</summary>
    private static Gen<FaultEvent[]> Membership(SeedPlan plan) =>
        from removal in OfLeader(FaultKind.RemoveMember, plan)
        from backMs in Gen.Choose(200, 6_000)
        from byItself in Gen.Choose(0, 1)
        select Enumerable.Range(0, 4).SelectMany(attempt => (FaultEvent[])
        [
            removal with { AtMs = attempt * 50 },
            removal with { Kind = FaultKind.AddLearner, Amount = removal.Amount + byItself, AtMs = backMs + (attempt * 300) },
            removal with { Kind = FaultKind.PromoteLearner, AtMs = backMs + 200 + (attempt * 300) },
        ]).OrderBy(fault => fault.AtMs).ToArray();

    private static Gen<long> Between(int least, int most) => Gen.Choose(least, most).Select(drawn => (long)drawn);

    private static Gen<long> MostlyUpTo(int least, int mostly, int most) => Gen.Frequency((3, Between(least, mostly)), (1, Between(least, most)));
}
