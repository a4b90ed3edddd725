using System.Globalization;

namespace RaftQueue.Simulation;

/// <summary>
/// <c>--planted --plain [BUG...]</c>: after how many plain seeds, drawn as any run's, each mistake is found, by whichever property. No
/// failure when one is not: some need a row of faults that a seed seldom draws.
/// </summary>
internal static class PlainCommand
{
    private const int MostSeeds = 120;

    public static int Run(IReadOnlyList<string> names, int workers)
    {
        List<PlantedCase> cases = [.. PlantedCommand.CasesOf(names).Select(planted => planted with { Seeds = MostSeeds, Shape = Shapes.Any, Expected = null })];
        IReadOnlyList<PlantedResult> results = new PlantedSuite(cases, workers, firstSeed: 1).Run(Tell);
        Console.WriteLine("\n  no  planted mistake                   plain seeds  findings");
        foreach (PlantedResult result in results)
        {
            string seeds = result.Caught ? result.Seeds.ToString(CultureInfo.InvariantCulture) : $"> {MostSeeds}";
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"  {result.Case.Number,2}  {result.Case.Bug,-32}  {seeds,11}  {(result.Caught ? result.Properties : "")}"));
        }

        Console.WriteLine($"{results.Count(result => result.Caught)} of {results.Count} found by {MostSeeds} plain seeds");
        return 0;
    }

    private static void Tell(PlantedResult result) => Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture, $"{result.Case.Bug}: {(result.Caught ? "found" : "not found")} after {result.Seeds} seeds, {result.Seconds:F0} s: {result.Finding?.Headline} {result.Control}"));
}
