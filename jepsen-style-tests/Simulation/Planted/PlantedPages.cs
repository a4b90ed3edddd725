using RaftQueue.Primitives;
using static RaftQueue.Simulation.FaultPattern;
using static RaftQueue.Simulation.Shapes;

namespace RaftQueue.Simulation;

/// <summary>Planted mistakes of evicted pages, checkpoints and transfers, with the runs that show them soonest.</summary>
internal static class PlantedPages
{
    private const long SlowBytesPerMs = 400;

    public static IReadOnlyList<PlantedCase> Caught { get; } =
    [
        new(PlantedBug.StalePageAfterEviction, 0, "P10", 20, Busy(Often(Die, Disconnect))),
        new(PlantedBug.SuperblockBeforePages, 0, "P10", 60, VeryBig(Rounds(3, 6, 2_000, PowerGoesWhileTheLogHangs))),
        new(PlantedBug.SlotReusedUnderReader, 0, "P10", 60, SlowTransfers(VeryBig(Rounds(3, 2, 16_000, NodeLosesEverything)), 100)),
        new(PlantedBug.PagesOfAnotherIndex, 0, "P10", 60, SlowTransfers(VeryBig(Rounds(3, 2, 8_000, TransfersBreak)))),
        new(PlantedBug.VoteFloorForgotten, 18, "P10", 25, Often(Damage, Die)),
        new(PlantedBug.LocalByteInRootPage, 0, "P10", 10, Often(Die)),
        new(PlantedBug.LocalByteInJobPage, 0, "P10", 10, Often(Die)),
    ];

    /// <summary>A checkpoint is written and waits for the log, which is not durable that far yet, when the power goes.</summary>
    private static FaultEvent[] PowerGoesWhileTheLogHangs(SplitMix64 random)
    {
        FaultTarget node = FaultTarget.Node(1 + (int)random.NextBelow(3));
        long hangMs = 200 + random.NextBelow(400);
        return
        [
            new FaultEvent(0, FaultKind.HangLog, node, DurationMs: hangMs + 50),
            new FaultEvent(hangMs, FaultKind.LosePower, node, DurationMs: 200),
        ];
    }

    /// <summary>An empty node needs everything.</summary>
    private static FaultEvent[] NodeLosesEverything(SplitMix64 random) =>
        [new FaultEvent(0, FaultKind.Wipe, FaultTarget.Node(1 + (int)random.NextBelow(3)), DurationMs: 200)];

    /// <summary>The same, and what brings it the pages breaks again and again.</summary>
    private static FaultEvent[] TransfersBreak(SplitMix64 random)
    {
        int lost = 1 + (int)random.NextBelow(3);
        var events = new List<FaultEvent> { new(0, FaultKind.Wipe, FaultTarget.Node(lost), DurationMs: 200) };
        for (long atMs = 700; atMs < 7_000; atMs += 900 + random.NextBelow(900))
        {
            foreach (int from in new[] { 1, 2, 3 }.Where(id => id != lost))
            {
                events.Add(new FaultEvent(atMs, FaultKind.BreakTransfers, FaultTarget.Node(from), FaultTarget.Node(lost), DurationMs: 50));
            }
        }

        return [.. events];
    }

    /// <summary>The same where fetching a checkpoint takes so long that the sender writes others meanwhile.</summary>
    private static Func<ulong, RunCase> SlowTransfers(Func<ulong, RunCase> shape, long bytesPerMs = SlowBytesPerMs) => seed =>
    {
        RunCase run = shape(seed);
        return run with { Plan = run.Plan with { Weather = run.Plan.Weather with { TransferBytesPerMs = bytesPerMs } } };
    };
}
