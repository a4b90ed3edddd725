using RaftQueue.Simulation;

if (CaseCommands.TryRun(args) is { } code) return code;
if (RunnerOptions.Parse(args) is not { } options)
{
    await Console.Error.WriteLineAsync(RunnerOptions.Usage);
    return 2;
}

return options.Seed is { } seed ? OneSeed.Run(seed, options) : new SeedRunner(options).Run();
