namespace RaftQueue.Simulation;

/// <summary>
/// Makes a failing run smaller while it goes on failing by the same property: fewer faults, nodes, shards, clients and queues, less
/// time. Used by FsCheck (<see cref="Smaller"/>) and by <c>--shrink</c> (<see cref="Reduce"/>).
/// </summary>
internal static class Shrinker
{
    /// <summary>
    /// What might still fail and is smaller, most hopeful first: events in halves, quarters and so on (delta debugging, Zeller and
    /// Hildebrandt 2002), then the shape, then single numbers.
    /// </summary>
    public static IEnumerable<RunCase> Smaller(RunCase run) =>
        FewerEvents(run).Concat(SmallerShape(run)).Concat(LessLoad(run)).Concat(ShorterEvents(run));

    /// <summary>
    /// The smallest run that was found within <paramref name="mostRuns"/> tries; <paramref name="failsAlike"/> tells whether a run fails
    /// by the property in question.
    /// </summary>
    public static (RunCase Smallest, int Runs) Reduce(RunCase failing, Func<RunCase, bool> failsAlike, int mostRuns)
    {
        int runs = 0;
        RunCase smallest = failing;
        while (runs < mostRuns)
        {
            RunCase? next = null;
            foreach (RunCase candidate in Smaller(smallest))
            {
                if (runs == mostRuns) break;
                runs++;
                if (!failsAlike(candidate)) continue;
                next = candidate;
                break;
            }

            if (next is null) break;
            smallest = next;
        }

        return (smallest, runs);
    }

    private static IEnumerable<RunCase> FewerEvents(RunCase run)
    {
        int count = run.Schedule.Events.Count;
        for (int size = (count + 1) / 2; size >= 1; size /= 2)
        {
            // From the end: what comes after the failure is idle.
            for (int end = count; end > 0; end -= size)
            {
                HashSet<int> places = [.. Enumerable.Range(Math.Max(0, end - size), Math.Min(size, end))];
                yield return run with { Schedule = run.Schedule.Without(places) };
            }
        }
    }

    private static IEnumerable<RunCase> SmallerShape(RunCase run)
    {
        SeedPlan plan = run.Plan;
        long lastMs = run.Schedule.Events.Count == 0 ? 0 : run.Schedule.Events.Max(fault => fault.AtMs + fault.DurationMs);
        foreach (long durationMs in (long[])[plan.DurationMs / 2, lastMs + 1_000, plan.DurationMs * 9 / 10])
        {
            if (durationMs < plan.DurationMs && durationMs >= 500) yield return run with { Plan = plan with { DurationMs = durationMs } };
        }

        if (plan.Shards > 1) yield return OfOneShard(run);
        if (plan.Nodes > 3) yield return OfThreeNodes(run);
        if (plan.HealsMajorityFirst) yield return run with { Plan = plan with { HealsMajorityFirst = false } };
        foreach (NetworkWeather weather in Calmer(plan.Weather)) yield return run with { Plan = plan with { Weather = weather } };
    }

    private static IEnumerable<NetworkWeather> Calmer(NetworkWeather weather)
    {
        var calm = new NetworkWeather();
        if (weather == calm) yield break;
        yield return calm;
        if (weather.LossPercent > 0) yield return weather with { LossPercent = 0 };
        if (weather.ReplayPercent > 0) yield return weather with { ReplayPercent = 0 };
        if (weather.OvertakenPercent > 0) yield return weather with { OvertakenPercent = 0 };
        if (weather.LatePerMille > 0) yield return weather with { LatePerMille = 0 };
        if (weather.SplitPercent > 0) yield return weather with { SplitPercent = 0 };
        if (weather.BytesPerMs > 0) yield return weather with { BytesPerMs = 0 };
    }

    private static IEnumerable<RunCase> LessLoad(RunCase run)
    {
        Workload load = run.Workload;
        if (load.Clients > 1)
        {
            yield return run with { Workload = load with { Clients = 1 } };
            yield return run with { Workload = load with { Clients = load.Clients / 2 } };
            yield return run with { Workload = load with { Clients = load.Clients - 1 } };
        }

        if (load.Burst is not null) yield return run with { Workload = load with { Burst = null } };
        if (load.Queues > 1) yield return run with { Workload = load with { Queues = 1 } };
        if (load.BigPercent > 0) yield return run with { Workload = load with { BigPercent = 0 } };
        foreach (RunCase fewer in FewerSteps(run)) yield return fewer;
        if (load.ThinkMs < 1_000) yield return run with { Workload = load with { ThinkMs = load.ThinkMs * 2 } };
    }

    private static IEnumerable<RunCase> FewerSteps(RunCase run)
    {
        Workload load = run.Workload;
        List<int> numbers = [.. load.Steps(run.Plan.DurationMs, new RandomStreams(run.Seed)).Select(step => step.Number).Order()];
        for (int size = numbers.Count / 2; size >= Math.Max(1, numbers.Count / 16); size /= 2)
        {
            for (int end = numbers.Count; end > 0; end -= size)
            {
                IEnumerable<int> some = numbers.Skip(Math.Max(0, end - size)).Take(Math.Min(size, end));
                yield return run with { Workload = load with { LeftOut = [.. load.LeftOut, .. some] } };
            }
        }
    }

    private static IEnumerable<RunCase> ShorterEvents(RunCase run)
    {
        for (int i = 0; i < run.Schedule.Events.Count; i++)
        {
            FaultEvent fault = run.Schedule.Events[i];
            if (fault.DurationMs >= 100) yield return Replaced(run, i, fault with { DurationMs = fault.DurationMs / 2 });
        }
    }

    private static RunCase OfOneShard(RunCase run) => run with
    {
        Plan = run.Plan with { Shards = 1 },
        Workload = run.Workload with { Shards = 1 },
        Schedule = new FaultSchedule([.. run.Schedule.Events.Select(fault => fault with { Node = First(fault.Node), Other = First(fault.Other) })]),
    };

    private static FaultTarget First(FaultTarget target) => target.IsLeader ? FaultTarget.LeaderOf(0) : target;

    /// <summary>Events of the nodes that are no more are left out.</summary>
    private static RunCase OfThreeNodes(RunCase run) => run with
    {
        Plan = run.Plan with { Nodes = 3, WrongClocks = [.. run.Plan.WrongClocks.Where(number => number <= 3).Take(1)] },
        Schedule = new FaultSchedule([.. run.Schedule.Events.Where(fault => Exists(fault.Node) && Exists(fault.Other) && IsFair(run, fault))]),
    };

    private static bool Exists(FaultTarget target) => target.IsLeader || target.Number <= 3;

    /// <summary>Of three wall clocks only one may be wrong.</summary>
    private static bool IsFair(RunCase run, FaultEvent fault) =>
        fault.Kind != FaultKind.JumpWall || fault.Node.Number == run.Plan.WrongClocks.FirstOrDefault(number => number <= 3);

    private static RunCase Replaced(RunCase run, int place, FaultEvent fault)
    {
        FaultEvent[] events = [.. run.Schedule.Events];
        events[place] = fault;
        return run with { Schedule = new FaultSchedule(events) };
    }
}
