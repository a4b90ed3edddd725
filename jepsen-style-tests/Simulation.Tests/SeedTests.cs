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

    [Fact]
    public void SeededFaultsBreakNothing()
    {
        var watch = Stopwatch.StartNew();
        var totals = new RunTotals();
        for (ulong seed = 1; watch.Elapsed.TotalSeconds < SuiteSeconds; seed++)
        {
            ulong present = seed;
            SeedOutcome outcome = SeedOutcome.Of(present, () => new SeedRun(present));
            Assert.True(outcome.Passed, outcome.Failure);
            totals.Add(outcome);
        }

        output.WriteLine(totals.Summary(watch.Elapsed, watch.Elapsed));
        Assert.True(totals.Pages.Times > 20 * totals.Passed, "pages are compared all the time");
        Assert.True(totals.Pages.HighestIndex > 1_000, "pages are compared far into a log");
        Assert.True(totals.Pages.Checkpoints > 0, "pages of checkpoints are compared");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task DeterminismASeedIsTheSameRunInEveryProcess(ulong seed)
    {
        SeedOutcome here = SeedOutcome.Of(seed, () => new SeedRun(seed));
        string first = await HashOfAnotherProcessAsync(seed);
        string second = await HashOfAnotherProcessAsync(seed);
        Assert.Equal(first, second);
        Assert.StartsWith($"hash {here.Hash:x16}, {here.Events} events", first, StringComparison.Ordinal);
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
