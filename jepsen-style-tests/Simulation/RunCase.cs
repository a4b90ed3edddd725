using System.Text.Json;
using System.Text.Json.Serialization;

namespace RaftQueue.Simulation;

/// <summary>
/// Everything that a run depends on, as one value: written to a file beside a failure, it fails there in the same way again
/// (<c>--schedule FILE</c>). The schedule is one event a line, so that it can be read and changed by hand.
/// </summary>
internal sealed record RunCase(ulong Seed, SeedPlan Plan, Workload Workload, FaultSchedule Schedule)
{
    private static readonly JsonSerializerOptions Format = new()
    {
        WriteIndented = true,
        IncludeFields = true, // of the pairs of pattern and weight
        Converters = { new JsonStringEnumConverter(), new ScheduleLines() },
    };

    /// <summary>What a seed draws.</summary>
    public static RunCase Draw(ulong seed) => Draw(seed, SeedPlan.Draw(new RandomStreams(seed)));

    /// <summary>What a seed draws for a plan.</summary>
    public static RunCase Draw(ulong seed, SeedPlan plan)
    {
        var streams = new RandomStreams(seed);
        return new RunCase(seed, plan, plan.DrawWorkload(streams), FaultSchedule.Draw(plan, streams));
    }

    public static RunCase Parse(string text) =>
        JsonSerializer.Deserialize<RunCase>(text, Format) ?? throw new FormatException("no run in this file");

    public SeedRun Prepare() => new(Seed, Plan, Schedule, Workload);

    /// <summary>What <see cref="Parse"/> reads.</summary>
    public string ToText() => JsonSerializer.Serialize(this, Format);

    /// <summary>Short, for the message of a failure.</summary>
    public override string ToString() =>
        $"seed {Seed}, {Plan.Nodes} nodes, {Plan.Shards} shards, {Plan.DurationMs} ms, {Workload}, {Schedule.Events.Count} faults\n{Schedule}";

    private sealed class ScheduleLines : JsonConverter<FaultSchedule>
    {
        public override FaultSchedule Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            FaultSchedule.Parse(string.Join('\n', JsonSerializer.Deserialize<string[]>(ref reader, options)!));

        public override void Write(Utf8JsonWriter writer, FaultSchedule value, JsonSerializerOptions options) =>
            JsonSerializer.Serialize(writer, value.Events.Select(fault => fault.ToString()).ToArray(), options);
    }
}
