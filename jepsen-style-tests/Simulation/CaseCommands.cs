using System.Globalization;

namespace RaftQueue.Simulation;

/// <summary>What the command line does with a single run: make a failure small, and fail again from a file.</summary>
internal static class CaseCommands
{
    private const int MostRuns = 2_000;

    /// <summary>The exit code when the command line asks for one of these, else null.</summary>
    public static int? TryRun(string[] arguments)
    {
        switch (arguments)
        {
            case ["--planted", ..]:
                return Planted.Run(arguments[1..]);
#if PLANTED_BUGS
            case ["--bug", { } name, .. var rest]:
                Primitives.PlantedBugs.Plant(Enum.Parse<Primitives.PlantedBug>(name));
                return TryRun(rest);
#endif
            case ["--schedule", { } path]:
                return Replay(path);
            case ["--shrink", { } number] when ulong.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out ulong seed):
                return Shrink(RunCase.Draw(seed));
            case ["--shrink", { } path]:
                return Shrink(RunCase.Parse(File.ReadAllText(path)));
            default:
                return null;
        }
    }

    /// <summary><c>--shrink SEED</c> or a file: the run made as small as it still fails by the same property.</summary>
    public static int Shrink(RunCase run)
    {
        RunVerdict verdict = RunVerdict.Of(run);
        if (verdict.Property is not { } property)
        {
            Console.WriteLine($"{run}\npasses: there is nothing to shrink");
            return 0;
        }

        Console.WriteLine($"fails by {property}: {run.Schedule.Events.Count} faults, {verdict.Message}");
        (RunCase smallest, int runs) = Shrinker.Reduce(run, candidate => RunVerdict.Of(candidate).Property == property, MostRuns);
        Console.WriteLine($"smallest of {runs} runs:");
        Report(smallest, RunVerdict.Of(smallest), PathOf($"failure-{run.Seed}.json"));
        return 1;
    }

    /// <summary><c>--schedule FILE</c>: the run that a failure left behind.</summary>
    public static int Replay(string path)
    {
        RunCase run = RunCase.Parse(File.ReadAllText(path));
        RunVerdict verdict = RunVerdict.Of(run);
        if (!verdict.Failed)
        {
            Console.WriteLine($"{run}\npasses");
            return 0;
        }

        Console.WriteLine(Told(run, verdict, path));
        return 1;
    }

    /// <summary>Writes a failing run where it can be replayed, and tells all about it.</summary>
    public static void Report(RunCase run, RunVerdict verdict, string path)
    {
        File.WriteAllText(path, run.ToText());
        Console.WriteLine(Told(run, verdict, path));
    }

    /// <summary>A place for the file of a failure: beside the program, where nothing is checked in.</summary>
    public static string PathOf(string name) => Path.Combine(AppContext.BaseDirectory, name);

    /// <summary>The failure, its run, the command that makes it fail again, and what happened last.</summary>
    public static string Told(RunCase run, RunVerdict verdict, string path) => string.Create(
        CultureInfo.InvariantCulture,
        $"fails by {verdict.Property}: {verdict.Message}\n{verdict.Story}\n\n{run}\n\nreplay: "
        + $"dotnet run -c Release --project jepsen-style-tests/Simulation -- --schedule {path}");
}
