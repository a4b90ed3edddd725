using System.Globalization;

namespace RaftQueue.Simulation;

/// <summary>What the command line does with a single run: make a failure small, and fail again from a file.</summary>
internal static class CaseCommands
{
    private const int MostRuns = 2_000;

    /// <summary><c>--shrink SEED</c> or a file: the run made as small as it still fails by the same property.</summary>
    public static int Shrink(RunCase run)
    {
        var verdict = RunVerdict.Of(run);
        if (verdict.Property is not { } property)
        {
            Console.WriteLine($"{run}\npasses: there is nothing to shrink");
            return 0;
        }

        Console.WriteLine($"fails, {run.Schedule.Events.Count} faults: {verdict.Headline}");
        (RunCase smallest, int runs) = Shrinker.Reduce(run, candidate => RunVerdict.Of(candidate).Property == property, MostRuns);
        Console.WriteLine($"smallest of {runs} runs:");
        Report(smallest, RunVerdict.Of(smallest), PathOf($"failure-{run.Seed}.json"));
        return 1;
    }

    /// <summary><c>--schedule FILE</c>: the run that a failure left behind.</summary>
    public static int Replay(RunCase run, string path, bool verbose)
    {
        using SeedRun prepared = run.Prepare();
        if (verbose) prepared.Watch = Console.WriteLine;
        var verdict = RunVerdict.Of(prepared);
        Console.WriteLine(verdict.Failed ? Told(run, verdict, path) : $"{run}\npasses");
        return verdict.Failed ? 1 : 0;
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
        $"fails: {verdict.Told()}\n\n{run}\n\nreplay: dotnet run -c Release --project jepsen-style-tests/Simulation -- --schedule {path}");
}
