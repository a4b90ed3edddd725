using RaftQueue.Primitives;

namespace RaftQueue.Simulation;

/// <summary>Draws the faults of a run from its plan's weights.</summary>
internal sealed class FaultDraw(SeedPlan plan, RandomStreams streams)
{
    private const long HourMs = 3_600_000;

    private readonly List<FaultEvent> _events = [];
    private SplitMix64 _random = new(0);
    private long _atMs;

    public FaultSchedule All()
    {
        SplitMix64 times = streams.Open("fault times");
        int weights = plan.Weights.Sum(pair => pair.Weight);
        for (int number = 0; weights > 0; number++)
        {
            _atMs += 1 + times.NextBelow(2 * plan.FaultGapMs);
            if (_atMs >= plan.DurationMs) break;
            _random = streams.Open("fault", number);
            Add(Draw(weights));
        }

        // Rows of events overlap: the order is by time, among equals by drawing.
        return new FaultSchedule([.. _events.OrderBy(fault => fault.AtMs)]);
    }

    private void Add(FaultPattern pattern)
    {
        switch (pattern)
        {
            case FaultPattern.Isolate:
                Add(FaultKind.Isolate, Pick(), CutMs());
                break;
            case FaultPattern.OneWay:
                Add(OneIn(2) ? FaultKind.Deafen : FaultKind.Mute, Pick(), CutMs());
                break;
            case FaultPattern.CutPair:
                AddPair(OneIn(2) ? FaultKind.CutPair : FaultKind.CutOneWay, CutMs());
                break;
            case FaultPattern.Disconnect:
                AddPair(FaultKind.Disconnect, 0);
                break;
            case FaultPattern.Die:
                Add(FaultKind.Die, Pick(), DownMs());
                break;
            case FaultPattern.LosePower:
                AddPowerLoss(Pick());
                break;
            case FaultPattern.CrashInDisk:
                Add(FaultKind.CrashInDisk, Pick(), DownMs(), amount: 1 + Below(OneIn(2) ? 20 : 200));
                break;
            case FaultPattern.Wipe:
                FaultTarget wiped = FaultTarget.Node(1 + (int)Below(plan.Nodes));
                long emptyMs = 1 + Below(3_000);
                // Refused while the others do not hold everything: tried again.
                for (int attempt = 0; attempt < 4; attempt++) Add(FaultKind.Wipe, wiped, emptyMs, afterMs: attempt * 120);
                break;
            case FaultPattern.Clog:
                AddPair(FaultKind.Clog, CutMs());
                break;
            case FaultPattern.HandOver:
                int shard = (int)Below(plan.Shards);
                _events.Add(new FaultEvent(
                    _atMs, FaultKind.HandOver, FaultTarget.LeaderOf(shard), FaultTarget.Node(1 + (int)Below(plan.Nodes)), Amount: shard));
                break;
            default:
                AddOfMachine(pattern);
                break;
        }
    }

    private void AddOfMachine(FaultPattern pattern)
    {
        switch (pattern)
        {
            case FaultPattern.JumpWall:
                FaultTarget wrong = WrongClock;
                Add(FaultKind.JumpWall, wrong, amount: OneIn(3) ? 0 : Allowed(wrong, Below(2 * HourMs) - HourMs));
                break;
            case FaultPattern.Pause:
                Add(FaultKind.Pause, Pick(), 20 + Below(OneIn(4) ? 10_000 : 1_500));
                break;
            case FaultPattern.HangLog:
                Add(FaultKind.HangLog, Pick(), 20 + Below(3_000));
                break;
            case FaultPattern.Stop:
                Add(FaultKind.Stop, Pick(), 1 + Below(2_000), amount: Below(4_000));
                break;
            case FaultPattern.HangCheckpoint:
                Add(FaultKind.HangCheckpoint, Pick(), 100 + Below(8_000));
                break;
            case FaultPattern.HangApply:
                Add(FaultKind.HangApply, Pick(), 20 + Below(OneIn(4) ? 10_000 : 2_000));
                break;
            case FaultPattern.SlowApply:
                Add(FaultKind.SlowApply, Pick(), 500 + Below(10_000), amount: 500 + Below(OneIn(4) ? 400_000 : 20_000));
                break;
            case FaultPattern.SlowDisk:
                Add(FaultKind.SlowDisk, Pick(), 500 + Below(10_000), amount: 200 + Below(OneIn(4) ? 100_000 : 10_000));
                break;
            case FaultPattern.DiskError:
                FaultKind error = OneIn(3) ? FaultKind.FailSync : OneIn(2) ? FaultKind.FailWrite : FaultKind.FailRead;
                Add(error, Pick(), DownMs(), amount: 1 + Below(error == FaultKind.FailRead ? 5 : 60));
                break;
            case FaultPattern.RareDiskError:
                AddRareDiskError();
                break;
            case FaultPattern.BreakDisk:
                Add(FaultKind.BreakDisk, Pick(), 500 + Below(8_000), amount: Below(2));
                break;
            case FaultPattern.CutClients:
                Add(FaultKind.CutClients, OneIn(2) ? FaultTarget.LeaderOf((int)Below(plan.Shards)) : Pick(), CutMs());
                break;
            case FaultPattern.FullDisk:
                Add(FaultKind.FullDisk, Pick(), 500 + Below(8_000), amount: Below(3) * 512 * 1024);
                break;
            case FaultPattern.BreakTransfers:
                Add(FaultKind.BreakTransfers, Pick(), CutMs());
                break;
            case FaultPattern.SpoilTransfers:
                Add(FaultKind.SpoilTransfers, Pick(), CutMs());
                break;
            case FaultPattern.Halves or FaultPattern.Bridge or FaultPattern.Ring:
                Add(FaultKind.Partition, FaultTarget.Node(1), CutMs(), amount: Ways(pattern));
                break;
            default:
                AddRow(pattern);
                break;
        }
    }

    private void AddRow(FaultPattern pattern)
    {
        switch (pattern)
        {
            case FaultPattern.DieThenLosePower:
                FaultTarget node = FaultTarget.Node(1 + (int)Below(plan.Nodes));
                long downMs = DownMs();
                Add(FaultKind.Die, node, downMs);
                AddPowerLoss(node, afterMs: OneIn(2) ? Below(downMs) : downMs + Below(300));
                break;
            case FaultPattern.Damage:
                AddDamage();
                break;
            case FaultPattern.PowerRound:
                long gapMs = 1 + Below(400);
                for (int i = 0; i < plan.Nodes; i++) AddPowerLoss(FaultTarget.Node(i + 1), afterMs: i * gapMs);
                break;
            case FaultPattern.AllCrash:
                for (int i = 0; i < plan.Nodes; i++)
                {
                    if (OneIn(3)) Add(FaultKind.Die, FaultTarget.Node(i + 1), DownMs());
                    else AddPowerLoss(FaultTarget.Node(i + 1));
                }

                break;
            case FaultPattern.StrobeWall:
                long beatMs = 5 + Below(400);
                long swingMs = 10 + Below(OneIn(2) ? 2_000 : HourMs);
                long beats = 3 + Below(20);
                for (long i = 0; i < beats; i++)
                {
                    FaultTarget strobed = WrongClock;
                    Add(FaultKind.JumpWall, strobed, amount: i % 2 == 0 ? Allowed(strobed, swingMs) : 0, afterMs: i * beatMs);
                }

                break;
            case FaultPattern.SlowApplies:
                long slowMs = 500 + Below(8_000);
                long sliceUs = 1_000 + Below(OneIn(4) ? 200_000 : 20_000);
                for (int i = 0; i < plan.Nodes; i++) Add(FaultKind.SlowApply, FaultTarget.Node(i + 1), slowMs, amount: sliceUs);
                break;
            case FaultPattern.DriftClock:
                bool all = OneIn(3);
                FaultTarget one = Pick();
                long most = OneIn(4) ? SeedPlan.MostDriftPpm : 1_000;
                for (int i = 0; i < (all ? plan.Nodes : 1); i++)
                    Add(FaultKind.DriftClock, all ? FaultTarget.Node(i + 1) : one, amount: Below((2 * most) + 1) - most);
                break;
            case FaultPattern.ChangeMembers:
                AddMembershipChanges();
                break;
            case FaultPattern.RollingRestart:
                long pauseMs = 200 + Below(3_000);
                for (int i = 0; i < plan.Nodes; i++)
                    Add(FaultKind.Stop, FaultTarget.Node(i + 1), 1 + Below(500), amount: Below(2_000), afterMs: i * pauseMs);
                break;
            default:
                throw new InvalidOperationException($"nothing is drawn for {pattern}");
        }
    }

    private void AddDamage()
    {
        FaultTarget node = FaultTarget.Node(1 + (int)Below(plan.Nodes));
        FaultKind kind = Below(12) switch
        {
            0 => FaultKind.DamageIdentity,
            1 or 2 => FaultKind.DamageHardState,
            3 or 4 or 5 => FaultKind.DamageCheckpoint,
            _ => FaultKind.DamageLog,
        };
        // It often cannot be done at the first moment, because the node's newest entries are under way.
        for (int attempt = 0; attempt < 4; attempt++)
            Add(kind, node, DownMs(), kind == FaultKind.DamageCheckpoint ? Below(plan.Shards) : 0, afterMs: attempt * 37);
        if (!OneIn(4)) Add(OneIn(2) ? FaultKind.Die : FaultKind.LosePower, node, DownMs(), amount: Below(2), afterMs: 150 + Below(400));
    }

    /// <summary>Some happen only while a node starts, or begins with an empty directory.</summary>
    private void AddRareDiskError()
    {
        FaultKind[] kinds =
        [
            FaultKind.FailCreate, FaultKind.FailAllocate, FaultKind.FailSetLength, FaultKind.FailRename, FaultKind.FailDelete, FaultKind.FailSyncDirectory,
        ];
        FaultTarget node = FaultTarget.Node(1 + (int)Below(plan.Nodes));
        FaultKind kind = kinds[(int)Below(kinds.Length)];
        long amount = 1 + Below(kind == FaultKind.FailAllocate ? 6 : 3);
        if (OneIn(2))
        {
            Add(kind, node, amount: amount);
            return;
        }

        long downMs = 20 + Below(500);
        Add(OneIn(4) ? FaultKind.Wipe : FaultKind.Die, node, downMs);
        Add(kind, node, amount: amount, afterMs: downMs / 2);
    }

    /// <summary>The leader may be none at the moment, or have another change under way: each step is asked for several times.</summary>
    private void AddMembershipChanges()
    {
        int shard = (int)Below(plan.Shards);
        FaultTarget node = FaultTarget.Node(1 + (int)Below(plan.Nodes));
        long backMs = 200 + Below(6_000);
        long byItself = Below(2);
        for (int attempt = 0; attempt < 2; attempt++) Change(FaultKind.RemoveMember, 0, attempt * 150);
        for (int attempt = 0; attempt < 4; attempt++) Change(FaultKind.AddLearner, byItself, backMs + (attempt * 300));
        for (int attempt = 0; byItself == 0 && attempt < 4; attempt++) Change(FaultKind.PromoteLearner, 0, backMs + 200 + (attempt * 300));

        void Change(FaultKind kind, long more, long afterMs) => _events.Add(
            new FaultEvent(_atMs + afterMs, kind, FaultTarget.LeaderOf(shard), node, Amount: (2 * shard) + more, Salt: _random.NextUInt64()));
    }

    /// <summary>Its peers see the connections close, or nothing at all.</summary>
    private void AddPowerLoss(FaultTarget node, long afterMs = 0) =>
        Add(FaultKind.LosePower, node, DownMs(), amount: Below(2), afterMs: afterMs);

    /// <summary>The number of a <see cref="FaultKind.Partition"/>.</summary>
    private long Ways(FaultPattern pattern)
    {
        bool oneWay = pattern == FaultPattern.Ring && (plan.Nodes == 3 || OneIn(3));
        int n = plan.Nodes;
        long turn = Below(n);
        long ways = 0;
        for (int from = 0; from < n; from++)
        {
            for (int to = 0; to < n; to++)
            {
                // Places in a circle that begins anywhere.
                int a = (int)((from + turn) % n);
                int b = (int)((to + turn) % n);
                int apart = Math.Min((a - b + n) % n, (b - a + n) % n);
                bool cut = pattern switch
                {
                    FaultPattern.Halves => a <= n / 2 != b <= n / 2,
                    FaultPattern.Bridge => a != n / 2 && b != n / 2 && a < n / 2 != b < n / 2,
                    _ when oneWay => b != (a + 1) % n,
                    _ => apart > n / 4,
                };
                if (cut && from != to) ways |= 1L << ((from * NetworkFaults.Width) + to);
            }
        }

        return ways;
    }

    /// <summary>
    /// Of two wrong clocks the second is only ever behind: with both ahead, and two others not heard, the median would be ahead as well.
    /// </summary>
    private long Allowed(FaultTarget wrong, long byMs) => wrong.Number == plan.WrongClocks[0] ? byMs : -Math.Abs(byMs);

    /// <summary>A minority's clocks may be wrong: with two of three even the median would be.</summary>
    private FaultTarget WrongClock => FaultTarget.Node(plan.WrongClocks[(int)Below(plan.WrongClocks.Count)]);

    private void AddPair(FaultKind kind, long durationMs, long amount = 0)
    {
        FaultTarget one = Pick();
        FaultTarget other = FaultTarget.Node(1 + (int)Below(plan.Nodes));
        if (!one.IsLeader && one.Number == other.Number) other = FaultTarget.Node((one.Number % plan.Nodes) + 1);
        _events.Add(new FaultEvent(_atMs, kind, one, other, durationMs, amount, _random.NextUInt64()));
    }

    private void Add(FaultKind kind, FaultTarget node, long durationMs = 0, long amount = 0, long afterMs = 0) =>
        _events.Add(new FaultEvent(_atMs + afterMs, kind, node, default, durationMs, amount, _random.NextUInt64()));

    private FaultPattern Draw(int weights)
    {
        long at = Below(weights);
        foreach ((FaultPattern pattern, int weight) in plan.Weights)
        {
            if (at < weight) return pattern;
            at -= weight;
        }

        throw new InvalidOperationException("weights add up to their sum");
    }

    /// <summary>Now and then on purpose whoever leads: most faults matter there.</summary>
    private FaultTarget Pick() =>
        OneIn(3) ? FaultTarget.LeaderOf((int)Below(plan.Shards)) : FaultTarget.Node(1 + (int)Below(plan.Nodes));

    private long CutMs() => 50 + Below(OneIn(4) ? 12_000 : 2_500);

    private long DownMs() => 1 + Below(OneIn(4) ? 8_000 : 1_000);

    private long Below(long bound) => _random.NextBelow(bound);

    private bool OneIn(int many) => Below(many) == 0;
}
