using System.Globalization;
using RaftQueue.Primitives;

namespace RaftQueue.Simulation;

/// <summary><c>--planted [BUG...]</c> in the build that has them: which mistakes are caught, by what and how soon.</summary>
internal static class PlantedCommand
{
    private const ulong FirstSeed = 1;

    public static int Run(IReadOnlyList<string> names, int workers)
    {
        bool all = names.Count == 0;
        List<PlantedCase> cases = CasesOf(names);
        IReadOnlyList<PlantedResult> results = new PlantedSuite(cases, workers, FirstSeed).Run(Tell);
        (int shrunk, int notShrunk) = all ? ShrinkProof.Run(Console.WriteLine) : (0, 0);
        Console.WriteLine("\n  no  planted mistake                   caught by   after runs  all findings");
        foreach (PlantedResult result in results)
        {
            string by = result.Finding is not { } finding ? "NOT CAUGHT" : result.Control is null ? finding.Property : "FALSE ALARM";
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"  {result.Case.Number,2}  {result.Case.Bug,-32}  {by,-11}  {result.Seeds,9}  {(result.Finding is null ? "" : result.Properties)}"));
        }

        if (all) TellOthers();
        int passed = results.Count(result => result.Caught) + shrunk;
        int failed = results.Count(result => !result.Caught) + notShrunk;
        Console.WriteLine($"{passed} passed, {failed} failed");
        return failed == 0 ? 0 : 1;
    }

    /// <summary>All for none; <see cref="InputException"/> for one that no simulated run can show.</summary>
    public static List<PlantedCase> CasesOf(IReadOnlyList<string> names)
    {
        foreach ((PlantedBug bug, _, string reason) in PlantedCatalog.Others)
        {
            if (names.Contains(bug.ToString(), StringComparer.Ordinal)) throw new InputException($"{bug} is not for the simulator: {reason}");
        }

        return [.. PlantedCatalog.Caught.Where(planted => names.Count == 0 || names.Contains(planted.Bug.ToString(), StringComparer.Ordinal))];
    }

    private static void Tell(PlantedResult result)
    {
        string verdict = result.Finding is null ? "NOT CAUGHT" : result.Control is null ? "caught" : "CAUGHT WITHOUT IT TOO";
        string seen = result.Finding is { } finding ? $"{finding.Headline} (all: {result.Properties})" : $"expected {result.Case.Expected}, found: {result.Properties}";
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{verdict}  {result.Case.Bug} after {result.Seeds} runs, {result.Seconds:F0} s: {seen} {result.Control}"));
    }

    private static void TellOthers()
    {
        Console.WriteLine("not for the simulator:");
        foreach ((PlantedBug bug, int number, string reason) in PlantedCatalog.Others)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {number,2}  {bug,-32}  {reason}"));
        }
    }
}
