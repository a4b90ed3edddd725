using RaftQueue.Primitives;

namespace RaftQueue.Simulation;

/// <summary>
/// Proves on planted mistakes that a failure becomes small: found by FsCheck under dozens of faults, shrunk to a handful, written to a
/// file, read again, and failing again by the same property.
/// </summary>
internal static class ShrinkProof
{
    public const int AtLeastAtFirst = 24;

    public const int AtMostInTheEnd = 6;

    private const int MostRuns = 100;

    private const int MostShrinkingRuns = 400;

    /// <summary>One that any load shows, and one that needs a crash at the right moment.</summary>
    private static readonly PlantedBug[] Mistakes = [PlantedBug.WallClockStamps, PlantedBug.AcknowledgedBeforeSync];

    /// <summary>How many mistakes it was proved on, and on how many not.</summary>
    public static (int Passed, int Failed) Run(Action<string> tell)
    {
        int passed = Mistakes.Count(bug => Holds(bug, tell));
        return (passed, Mistakes.Length - passed);
    }

    private static bool Holds(PlantedBug bug, Action<string> tell)
    {
        int runs = 0;
        PropertyFailure? failure = null;
        for (ulong replay = 1; replay <= MostRuns && failure is null; replay++)
        {
            // It has to begin with many faults; while it shrinks it may have any number.
            if (RunProperty.Draw(replay).Schedule.Events.Count < AtLeastAtFirst) continue;
            failure = RunProperty.FindFailure(replay, MostShrinkingRuns, run =>
            {
                runs++;
                return PlantedSuite.RunWith(bug, run);
            });
        }

        if (failure is null)
        {
            tell($"{bug}: no run of {runs} fails");
            return false;
        }

        string path = CaseCommands.PathOf($"planted-{bug}.json");
        CaseCommands.Report(failure.Smallest, failure.Verdict, path);
        RunVerdict again = PlantedSuite.RunWith(bug, RunCase.Parse(File.ReadAllText(path)));
        RunVerdict control = PlantedSuite.RunWith(null, RunCase.Parse(File.ReadAllText(path)));
        int before = failure.First.Schedule.Events.Count;
        int after = failure.Smallest.Schedule.Events.Count;
        tell($"{bug}: {before} faults shrink to {after} in {runs} runs, replayed from {path}: {again.Property}, without the mistake: {control.Property ?? "passes"}");
        return before >= AtLeastAtFirst && after <= AtMostInTheEnd && again.Property == failure.Verdict.Property && !control.Failed;
    }
}
