using RaftQueue.Simulation;

if (RunnerOptions.Parse(args, out string error) is not { } options)
{
    await Console.Error.WriteLineAsync($"{error}\n\n{RunnerOptions.Usage}");
    return 2;
}

try
{
    return CommandLine.Run(options);
}
catch (InputException exception)
{
    await Console.Error.WriteLineAsync(exception.Message);
    return 2;
}
