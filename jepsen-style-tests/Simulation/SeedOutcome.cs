using RaftQueue.Checkers;
using RaftQueue.Checkers.Model;

namespace RaftQueue.Simulation;

/// <summary>How the run of one seed ended.</summary>
/// <param name="Failure">Null when everything held; else every property that does not, what was seen, and the timeline.</param>
/// <param name="Pages">How often the pages of two at one index were compared.</param>
/// <param name="Hash">Over everything that happened: equal for two runs of a seed.</param>
internal sealed record SeedOutcome(
    ulong Seed,
    string? Failure,
    ulong Hash,
    double SimulatedSeconds,
    long Events,
    PagesCompared Pages,
    IReadOnlyDictionary<FaultKind, int> Faults,
    IReadOnlyDictionary<FaultKind, int> LeftOut,
    IReadOnlyDictionary<OperationKind, int> Operations,
    IReadOnlyDictionary<string, int> Refusals)
{
    /// <summary>How long recovery took.</summary>
    public required RecoveryTimes Times { get; init; }

    /// <summary>How late jobs became ready, of all and of those whose time came after the heal, ms.</summary>
    public required (IReadOnlyList<long> All, IReadOnlyList<long> Healed) LateMs { get; init; }

    /// <summary>What was looked at.</summary>
    public required RunTally Tally { get; init; }

    /// <summary>FsCheck made the run.</summary>
    public bool IsProperty { get; init; }

    /// <summary>How often more was due than one entry may carry out.</summary>
    public required ModelBehind Behind { get; init; }

    public bool Passed => Failure is null;

    /// <summary>Runs a seed; whatever goes wrong in it is its failure.</summary>
    public static SeedOutcome Of(ulong seed, Func<SeedRun> make)
    {
        using SeedRun run = make();
        var verdict = RunVerdict.Of(run);
        SeedOutcome outcome = Of(seed, run);
        return !verdict.Failed ? outcome : outcome with
        {
            Failure = $"FAILED  seed {seed}: {verdict.Headline}\n"
                + $"replay: dotnet run -c Release --project jepsen-style-tests/Simulation -- --seed {seed} --verbose\n{verdict.Told()}",
        };
    }

    /// <summary>Of a run that has ended; whether it failed is for the caller to say.</summary>
    public static SeedOutcome Of(ulong seed, SeedRun run)
    {
        var operations = run.History.Operations.GroupBy(operation => operation.Kind).ToDictionary(kind => kind.Key, kind => kind.Count());
        var refusals = run.History.Operations.Where(operation => operation.Refusal is not null)
            .GroupBy(operation => operation.Refusal!).ToDictionary(why => why.Key, why => why.Count());
        return new SeedOutcome(
            seed, null, run.Hash, run.SimulatedSeconds, run.Events, run.Pages, run.FaultsMade, run.FaultsLeftOut, operations, refusals)
        {
            Times = run.Times,
            LateMs = run.LateMs,
            Tally = run.Tally,
            Behind = run.Behind,
        };
    }
}
