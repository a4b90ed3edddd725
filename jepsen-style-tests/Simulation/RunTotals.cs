using System.Globalization;
using System.Text;
using RaftQueue.Checkers;
using RaftQueue.Checkers.Model;

namespace RaftQueue.Simulation;

/// <summary>What all seeds of a run add up to. Not thread-safe.</summary>
internal sealed class RunTotals
{
    private readonly SortedDictionary<FaultKind, long> _faults = [];
    private readonly SortedDictionary<FaultKind, long> _leftOut = [];
    private readonly SortedDictionary<FaultKind, long> _propertyFaults = [];
    private readonly SortedDictionary<OperationKind, long> _operations = [];
    private readonly SortedDictionary<string, long> _refusals = new(StringComparer.Ordinal);
    private readonly List<long> _lateMs = [];
    private readonly List<long> _lateHealedMs = [];

    public int Passed { get; private set; }

    public int Failed { get; private set; }

    /// <summary>Of these so many were made by FsCheck.</summary>
    public int Properties { get; private set; }

    public double SimulatedHours { get; private set; }

    public long Events { get; private set; }

    public PagesCompared Pages { get; private set; }

    /// <summary>How long recovery took.</summary>
    public RecoveryTimes Times { get; } = new();

    /// <summary>What was looked at.</summary>
    public RunTally Tally { get; } = RunTally.Empty();

    /// <summary>How often more was due than one entry may carry out.</summary>
    public ModelBehind Behind { get; } = new();

    public void Add(SeedOutcome outcome)
    {
        Tally.Add(outcome.Tally);
        if (outcome.Passed) Passed++;
        else Failed++;
        if (outcome.IsProperty) Properties++;
        SimulatedHours += outcome.SimulatedSeconds / 3600;
        Events += outcome.Events;
        Pages += outcome.Pages;
        Times.Add(outcome.Times);
        Behind.Add(outcome.Behind);
        _lateMs.AddRange(outcome.LateMs.All);
        _lateHealedMs.AddRange(outcome.LateMs.Healed);
        foreach ((FaultKind kind, int count) in outcome.Faults)
        {
            _faults[kind] = _faults.GetValueOrDefault(kind) + count;
            if (outcome.IsProperty) _propertyFaults[kind] = _propertyFaults.GetValueOrDefault(kind) + count;
        }

        foreach ((FaultKind kind, int count) in outcome.LeftOut) _leftOut[kind] = _leftOut.GetValueOrDefault(kind) + count;
        foreach ((string why, int count) in outcome.Refusals) _refusals[why] = _refusals.GetValueOrDefault(why) + count;
        foreach ((OperationKind kind, int count) in outcome.Operations) _operations[kind] = _operations.GetValueOrDefault(kind) + count;
    }

    public string Progress(TimeSpan elapsed) => string.Create(
        CultureInfo.InvariantCulture,
        $"{elapsed:mm\\:ss}  {Passed + Failed} runs, {SimulatedHours:F1} simulated hours, {_faults.Values.Sum()} faults, {Failed} failed");

    /// <summary>Several lines; the last is what counts.</summary>
    public string Summary(TimeSpan elapsed, TimeSpan processor)
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        var text = new StringBuilder();
        text.AppendLine(culture, $"faults: {_faults.Values.Sum()} ({Join(_faults)})");
        text.AppendLine(culture, $"left out, not possible when their time came: {_leftOut.Values.Sum()} ({Join(_leftOut)})");
        if (Properties > 0)
        {
            string never = string.Join(", ", Enum.GetValues<FaultKind>().Except(_propertyFaults.Keys));
            text.AppendLine(culture, $"made by FsCheck: {Properties} runs with {_propertyFaults.Values.Sum()} faults of {_propertyFaults.Count} kinds; never made: {(never.Length > 0 ? never : "none")}");
        }

        text.AppendLine(culture, $"operations: {_operations.Values.Sum()} ({Join(_operations)})");
        text.AppendLine(culture, $"refused: {_refusals.Values.Sum()} ({Join(_refusals)})");
        text.AppendLine(culture, $"events: {Events}, {Events / Math.Max(0.001, elapsed.TotalSeconds):F0} a second, {Events / Math.Max(0.001, processor.TotalSeconds):F0} a second of processor time");
        text.AppendLine(culture, $"pages: compared {Pages.Times} times at equal index, {Pages.Checkpoints} of these checkpoints, the highest index {Pages.HighestIndex}");
        text.AppendLine(culture, $"{Tally}");
        text.AppendLine(culture, $"more than {JobModel.TimersOfAnEntry} things due at once: {Behind}");
        text.AppendLine(culture, $"recovered after faults ended: {Times}");
        text.AppendLine(culture, $"jobs became ready late by: {RecoveryTimes.Spread(_lateMs)}; after everything had healed: {RecoveryTimes.Spread(_lateHealedMs)}");
        text.AppendLine(culture, $"simulated: {SimulatedHours:F2} hours in {elapsed.TotalSeconds:F0} s ({SimulatedHours / Math.Max(0.0001, elapsed.TotalMinutes):F2} hours a minute, {SimulatedHours * 3600 / Math.Max(0.001, processor.TotalSeconds):F0} s a second of processor time)");
        return text.Append(culture, $"{Passed} passed, {Failed} failed").ToString();
    }

    private static string Join<T>(SortedDictionary<T, long> counts)
        where T : notnull => string.Join(", ", counts.Select(pair => $"{pair.Key} {pair.Value}"));
}
