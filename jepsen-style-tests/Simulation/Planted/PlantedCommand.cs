using System.Globalization;
using RaftQueue.Primitives;

namespace RaftQueue.Simulation;

/// <summary><c>--planted [BUG...]</c> in the build that has them: which mistakes are caught, by what and how soon.</summary>
internal static class PlantedCommand
{
    private const ulong FirstSeed = 1;

    public static int Run(IReadOnlyList<string> names)
    {
        bool all = names.Count == 0;
        List<PlantedCase> cases = all
            ? [.. PlantedCatalog.Caught]
            : [.. PlantedCatalog.Caught.Where(planted => names.Contains(planted.Bug.ToString(), StringComparer.Ordinal))];
        IReadOnlyList<PlantedResult> results = new PlantedSuite(cases, Environment.ProcessorCount, FirstSeed).Run(Tell);
        bool shrinks = !all || ShrinkProof.Holds(PlantedBug.WallClockStamps, Console.WriteLine);
        Console.WriteLine("\n  no  planted mistake                   caught by   after runs");
        foreach (PlantedResult result in results)
        {
            string by = result.Property is null ? "NOT CAUGHT" : result.Control is null ? result.Property : "FALSE ALARM";
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {result.Case.Number,2}  {result.Case.Bug,-32}  {by,-11}  {result.Seeds,4}"));
        }

        if (all) TellOthers();
        int passed = results.Count(result => result.Caught) + (all && shrinks ? 1 : 0);
        int failed = results.Count(result => !result.Caught) + (shrinks ? 0 : 1);
        Console.WriteLine($"{passed} passed, {failed} failed");
        return failed == 0 ? 0 : 1;
    }

    private static void Tell(PlantedResult result)
    {
        string verdict = result.Property is null ? "NOT CAUGHT" : result.Control is null ? "caught" : "CAUGHT WITHOUT IT TOO";
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{verdict}  {result.Case.Bug} after {result.Seeds} runs, {result.Seconds:F0} s: {result.Message} {result.Control}"));
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
