using RaftQueue.Primitives;

namespace RaftQueue.Simulation;

/// <summary>
/// Proves on a planted mistake that a failure becomes small: found by FsCheck under dozens of faults, shrunk to a handful, written to a
/// file, read again, and failing again by the same property.
/// </summary>
internal static class ShrinkProof
{
    public const int AtLeastAtFirst = 24;

    public const int AtMostInTheEnd = 6;

    private const int MostRuns = 200;

    public static bool Holds(PlantedBug bug, Action<string> tell)
    {
        int runs = 0;
        bool fails = false;
        var found = RunProperty.FindFailure(MostRuns, replay: 7, run =>
        {
            // It has to begin with many faults; while it shrinks it may have any number.
            if (!fails && run.Schedule.Events.Count < AtLeastAtFirst) return RunVerdict.Passed;
            runs++;
            RunVerdict verdict = PlantedSuite.RunWith(bug, run);
            fails |= verdict.Failed;
            return verdict;
        });
        if (found is not { } failure)
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
