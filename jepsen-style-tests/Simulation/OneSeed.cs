namespace RaftQueue.Simulation;

/// <summary>Runs one seed again, to look at it.</summary>
internal static class OneSeed
{
    private const int StackBytes = 16 * 1024 * 1024;

    public static int Run(ulong seed, RunnerOptions options)
    {
        SeedOutcome? outcome = null;
        // On a thread like the runner's: the same stack for the same run.
        var worker = new Thread(() => outcome = SeedOutcome.Of(seed, () => Make(seed, options)), StackBytes);
        worker.Start();
        worker.Join();
        Console.WriteLine(outcome!.Failure ?? $"seed {seed} passed");
        Console.WriteLine($"hash {outcome.Hash:x16}, {outcome.Events} events, {outcome.SimulatedSeconds:F1} simulated seconds");
        Console.WriteLine(outcome.Passed ? "1 passed, 0 failed" : "0 passed, 1 failed");
        return outcome.Passed ? 0 : 1;
    }

    private static SeedRun Make(ulong seed, RunnerOptions options)
    {
        var streams = new RandomStreams(seed);
        SeedPlan plan = SeedPlan.Draw(streams);
        FaultSchedule schedule = options.Schedule is { } file
            ? FaultSchedule.Parse(File.ReadAllText(file))
            : FaultSchedule.Draw(plan, streams);
        Console.WriteLine($"{plan}\n{plan.DrawWorkload(streams)}\n{schedule}");
        var run = new SeedRun(seed, plan, schedule, plan.DrawWorkload(streams));
        if (options.Verbose) run.Watch = Console.WriteLine;
        return run;
    }
}
