using System.Globalization;
using RaftQueue.Consensus.Tests.Support;
using Xunit.Abstractions;

namespace RaftQueue.Consensus.Tests;

/// <summary>
/// Random fault schedules over whole clusters of cores, safety checked after every step, then liveness after all faults end.
/// RAFTQUEUE_SEED replays one seed and prints what happens, RAFTQUEUE_SEEDS sets how many are run.
/// </summary>
public sealed class RandomClusterTests(ITestOutputHelper output)
{
    private const int DefaultSeeds = 2_000;

    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    public void SafetyHoldsAtEveryStepAndProgressReturns(int nodes)
    {
        string? single = Environment.GetEnvironmentVariable("RAFTQUEUE_SEED");
        if (single is not null)
        {
            Run(ulong.Parse(single, CultureInfo.InvariantCulture), nodes, new Totals(), output.WriteLine);
            return;
        }

        string? count = Environment.GetEnvironmentVariable("RAFTQUEUE_SEEDS");
        int seeds = count is null ? DefaultSeeds : int.Parse(count, CultureInfo.InvariantCulture);
        var totals = new Totals();
        for (int seed = 1; seed <= seeds; seed++) RunReplayable((ulong)seed, nodes, totals);

        // The schedule must reach what it is there for.
        Assert.True(totals.Committed > seeds * 5L, $"only {totals} in {seeds} seeds");
        Assert.True(totals.Leaderships > seeds * 2L, $"only {totals} in {seeds} seeds");
        Assert.True(totals.ReadsGranted > seeds, $"only {totals} in {seeds} seeds");
        Assert.True(totals.Wipes > seeds / 20, $"only {totals} in {seeds} seeds");
        Assert.True(totals.Checkpoints > seeds / 20, $"only {totals} in {seeds} seeds");
    }

    private static void RunReplayable(ulong seed, int nodes, Totals totals)
    {
        try
        {
            Run(seed, nodes, totals);
        }
        catch (Exception failure)
        {
            throw new InvalidOperationException(
                $"Seed {seed} with {nodes} nodes: {failure.Message}. Replay: RAFTQUEUE_SEED={seed} dotnet test -c Release "
                + $"tests/RaftQueue.Consensus.Tests --filter \"DisplayName~nodes: {nodes}\"",
                failure);
        }
    }

    private static void Run(ulong seed, int nodes, Totals totals, Action<string>? trace = null)
    {
        var cluster = new SimCluster(seed, nodes, trace);
        for (int step = 0; step < 700; step++) cluster.Step();
        string? missing = cluster.Heal(withinMs: 20_000);
        Assert.True(missing is null, $"20 s after all faults ended: {missing}");
        totals.Add(cluster);
    }

    private sealed class Totals
    {
        public long Committed { get; private set; }

        public long Leaderships { get; private set; }

        public long ReadsGranted { get; private set; }

        public long Wipes { get; private set; }

        public long Checkpoints { get; private set; }

        public void Add(SimCluster cluster)
        {
            Committed += cluster.Checks.HighestCommitted.Value;
            Leaderships += cluster.Checks.Leaderships;
            ReadsGranted += cluster.Checks.ReadsGranted;
            Wipes += cluster.Wipes;
            Checkpoints += cluster.CheckpointsReceived;
        }

        public override string ToString() =>
            $"{Committed} commits, {Leaderships} leaderships, {ReadsGranted} reads, {Wipes} wipes, {Checkpoints} checkpoints";
    }
}
