namespace RaftQueue.Simulation;

/// <summary>Runs one seed again, to look at it.</summary>
internal static class OneSeed
{
    /// <summary>What the seed draws, or with the faults of a file.</summary>
    public static RunCase CaseOf(ulong seed, RunnerOptions options)
    {
        RunCase drawn = RunCase.Draw(seed);
        return options.Schedule is { } file ? drawn with { Schedule = InputFiles.Schedule(file, drawn.Plan) } : drawn;
    }

    public static int Run(RunCase run, bool verbose)
    {
        Console.WriteLine($"{run.Plan}\n{run.Workload}\n{run.Schedule}");
        SeedOutcome outcome = SeedOutcome.Of(run.Seed, () =>
        {
            SeedRun made = run.Prepare();
            if (verbose) made.Watch = Console.WriteLine;
            return made;
        });
        Console.WriteLine(outcome.Failure ?? $"seed {run.Seed} passed");
        Console.WriteLine($"hash {outcome.Hash:x16}, {outcome.Events} events, {outcome.SimulatedSeconds:F1} simulated seconds");
        Console.WriteLine(outcome.Passed ? "1 passed, 0 failed" : "0 passed, 1 failed");
        return outcome.Passed ? 0 : 1;
    }
}
