using System.Globalization;
using System.Text.Json;

namespace RaftQueue.Simulation;

/// <summary>Files that the command line names. What cannot be read throws <see cref="InputException"/>.</summary>
internal static class InputFiles
{
    private const int MostShards = 64;

    /// <summary>The run that a failure left.</summary>
    public static RunCase Case(string path) => Read(path, text =>
    {
        RunCase run = RunCase.Parse(text);
        // Also what is declared to be there may be missing in a file.
        if (run is not { Plan: { } plan, Workload: { } load, Schedule: { } schedule }) throw new FormatException("it has no plan, workload or schedule");
        Check(plan, schedule);
        if (load.Shards != plan.Shards) throw new FormatException($"a load for {load.Shards} shards, a plan with {plan.Shards}");
        if (load is not { Clients: > 0 and < Workload.MostClients, Queues: > 0, ThinkMs: > 0 }) throw new FormatException($"no load: {load}");
        return run;
    });

    /// <summary>Faults, one a line, for a run with this plan.</summary>
    public static FaultSchedule Schedule(string path, SeedPlan plan) => Read(path, text =>
    {
        var schedule = FaultSchedule.Parse(text);
        Check(plan, schedule);
        return schedule;
    });

    /// <summary>Seeds, one a line; # begins a remark.</summary>
    public static IReadOnlyList<ulong> Seeds(string path) => Read(path, text =>
        text.Split('\n').Select(line => line.Split('#')[0].Trim()).Where(line => line.Length > 0).Select(Seed).ToList());

    private static ulong Seed(string text) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong seed) ? seed : throw new FormatException($"'{text}' is not a seed");

    private static void Check(SeedPlan plan, FaultSchedule schedule)
    {
        if (plan.Nodes is < 1 or >= SimulatedNetwork.MostNodes) throw new FormatException($"{plan.Nodes} nodes");
        if (plan.Shards is < 1 or > MostShards) throw new FormatException($"{plan.Shards} shards");
        if (plan is { Weather: null } or { Weights: null } or { WrongClocks: null } || plan.DurationMs <= 0) throw new FormatException("the plan is not whole");
        foreach (FaultEvent fault in schedule.Events)
        {
            if (!Exists(fault.Node, plan) || (fault.Other != default && !Exists(fault.Other, plan))) throw new FormatException($"no such node: '{fault}'");
        }
    }

    private static bool Exists(FaultTarget target, SeedPlan plan) =>
        target.IsLeader ? target.Number >= 0 && target.Number < plan.Shards : target.Number >= 1 && target.Number <= plan.Nodes;

    private static T Read<T>(string path, Func<string, T> parse)
    {
        try
        {
            return parse(File.ReadAllText(path));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException or FormatException
            or ArgumentException or KeyNotFoundException or OverflowException or InvalidOperationException or NotSupportedException)
        {
            throw new InputException($"'{path}' cannot be used: {exception.Message.Split('\n')[0]}", exception);
        }
    }
}
