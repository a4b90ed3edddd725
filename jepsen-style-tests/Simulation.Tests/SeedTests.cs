using System.Diagnostics;
using System.Globalization;
using Xunit.Abstractions;

namespace RaftQueue.Simulation.Tests;

/// <summary>
/// Some seeds of the simulator, as many as fit the suite's time; jepsen-style-tests/Simulation/run.sh runs many more.
/// </summary>
public sealed class SeedTests(ITestOutputHelper output)
{
    private const int SuiteSeconds = 20;

    /// <summary>However slow the machine is: in so many all that is asked below has happened.</summary>
    private const ulong LeastSeeds = 16;

    [Fact]
    public void SeededFaultsBreakNothing()
    {
        var watch = Stopwatch.StartNew();
        var totals = new RunTotals();
        for (ulong seed = 1; seed <= LeastSeeds || watch.Elapsed.TotalSeconds < SuiteSeconds; seed++)
        {
            ulong present = seed;
            SeedOutcome outcome = SeedOutcome.Of(present, () => new SeedRun(present));
            Assert.True(outcome.Passed, outcome.Failure);
            totals.Add(outcome);
        }

        output.WriteLine(totals.Summary(watch.Elapsed, watch.Elapsed));
        Assert.True(totals.Pages.Times > 20 * totals.Passed, "pages are compared all the time");
        Assert.True(totals.Pages.HighestIndex > 1_000, "pages are compared far into a log");
        Assert.Equal(totals.Passed, totals.Tally.RunsThatEvict);
        Assert.True(totals.Pages.Checkpoints > 0, "pages of checkpoints are compared");
    }

    /// <summary>Seeds in which every kind of fault happens, but for the one that only directed runs have.</summary>
    [Fact]
    public async Task DeterminismASeedIsTheSameRunInEveryProcess()
    {
        HashSet<FaultKind> missing = [.. Enum.GetValues<FaultKind>().Where(kind => kind != FaultKind.LoseMessages)];
        foreach (ulong seed in (ulong[])[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 16])
        {
            SeedOutcome here = SeedOutcome.Of(seed, () => new SeedRun(seed));
            missing.ExceptWith(here.Faults.Keys);
            string there = await HashOfAnotherProcessAsync(seed);
            Assert.StartsWith($"hash {here.Hash:x16}, {here.Events} events", there, StringComparison.Ordinal);
        }

        Assert.Empty(missing);
    }

    private static async Task<string> HashOfAnotherProcessAsync(ulong seed)
    {
        string simulation = Path.Combine(AppContext.BaseDirectory, "RaftQueue.Simulation.dll");
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, UseShellExecute = false };
        foreach (string argument in (string[])[simulation, "--seed", seed.ToString(CultureInfo.InvariantCulture)]) start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        string text = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        return text.Split('\n').Single(line => line.StartsWith("hash ", StringComparison.Ordinal));
    }
}
