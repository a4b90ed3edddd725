using System.Diagnostics;
using System.Globalization;
using RaftQueue.Checkers;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace RaftQueue.Simulation.Tests;

/// <summary>
/// Random faults against whole clusters in virtual time. RAFTQUEUE_CHAOS_SEED replays one seed; RAFTQUEUE_CHAOS_SEEDS says how many
/// to run (otherwise as many as fit the suite's time), from RAFTQUEUE_CHAOS_FIRST on.
/// </summary>
public sealed class SeedTests(ITestOutputHelper output)
{
    private const int SuiteSeconds = 25;
    private const int MostSeedsOfTheSuite = 200;

    [Fact]
    public void SeededFaultsBreakNothing()
    {
        if (Setting("RAFTQUEUE_CHAOS_SEED") is { } one)
        {
            output.WriteLine($"{RunSeed(one).Plan}");
            return;
        }

        var watch = Stopwatch.StartNew();
        ulong first = Setting("RAFTQUEUE_CHAOS_FIRST") ?? 1;
        ulong? wanted = Setting("RAFTQUEUE_CHAOS_SEEDS");
        var failures = new List<string>();
        long faults = 0, calls = 0, entries = 0;
        ulong done = 0;
        while (wanted is { } count ? done < count : done < MostSeedsOfTheSuite && watch.Elapsed.TotalSeconds < SuiteSeconds)
        {
            try
            {
                SeedRun run = RunSeed(first + done);
                faults += run.Faults;
                calls += run.History.Operations.Count;
                entries += run.Entries;
            }
            catch (XunitException exception) when (wanted is not null)
            {
                failures.Add(exception.Message);
                output.WriteLine(exception.Message);
            }

            done++;
        }

        output.WriteLine($"{done} seeds from {first}: {faults} faults, {calls} calls, {entries} entries, {watch.Elapsed.TotalSeconds:F1} s");
        Require.That(failures.Count == 0, $"{failures.Count} of {done} seeds fail; the first: {failures.FirstOrDefault()}");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void ASeedGivesTheSameRunTwice(ulong seed)
    {
        SeedRun first = RunSeed(seed);
        SeedRun second = RunSeed(seed);
        Assert.Equal(first.History.Operations.Count, second.History.Operations.Count);
        Assert.Equal(first.History.EventHash, second.History.EventHash);
    }

    private static SeedRun RunSeed(ulong seed)
    {
        var run = new SeedRun(seed);
        try
        {
            run.Run();
            return run;
        }
        catch (Exception exception)
        {
            throw new XunitException(
                $"seed {seed}: {exception.GetType().Name}: {exception.Message}\n"
                + $"replay: RAFTQUEUE_CHAOS_SEED={seed} dotnet test -c Release jepsen-style-tests/Simulation.Tests --filter SeededFaultsBreakNothing\n"
                + $"{exception.StackTrace}\n{run.Story}",
                exception);
        }
    }

    private static ulong? Setting(string name) =>
        ulong.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) ? value : null;
}
