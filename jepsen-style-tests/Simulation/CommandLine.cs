using System.Globalization;

namespace RaftQueue.Simulation;

/// <summary>Does what the command line asks for.</summary>
internal static class CommandLine
{
    /// <summary>Continuations run inside what completes them; with too little stack they would go to another thread.</summary>
    public const int StackBytes = 16 * 1024 * 1024;

    /// <summary>The exit code. <see cref="InputException"/> for what cannot be used.</summary>
    public static int Run(RunnerOptions options)
    {
        if (options.Planted is { } bugs) return Planted.Run(bugs, options.Plain, options.Workers);
        Planted.Check(options.Bug);
        if (options.Shrink is { } shrink)
        {
            RunCase failing = ulong.TryParse(shrink, NumberStyles.None, CultureInfo.InvariantCulture, out ulong drawn) ? RunCase.Draw(drawn) : InputFiles.Case(shrink);
            return OnOwnThread(options, () => CaseCommands.Shrink(failing));
        }

        if (options.Seed is { } seed)
        {
            RunCase run = OneSeed.CaseOf(seed, options);
            return OnOwnThread(options, () => OneSeed.Run(run, options.Verbose));
        }

        if (options.Schedule is not { } path) return new SeedRunner(options, options.Corpus is { } corpus ? InputFiles.Seeds(corpus) : []).Run();
        RunCase left = InputFiles.Case(path);
        return OnOwnThread(options, () => CaseCommands.Replay(left, path, options.Verbose));
    }

    /// <summary>A thread like the runner's: the same stack for the same run. A mistake is planted on one thread.</summary>
    private static int OnOwnThread(RunnerOptions options, Func<int> act)
    {
        int code = 0;
        var worker = new Thread(
            () =>
            {
                Planted.Plant(options.Bug);
                code = act();
            },
            StackBytes);
        worker.Start();
        worker.Join();
        return code;
    }
}
