using System.Text.Json;
using RaftQueue.Output;

namespace RaftQueue.Bench;

/// <summary>What a run measured, for people and as JSON.</summary>
internal sealed record BenchReport
{
    public required BenchOptions Options { get; init; }

    public required string Durability { get; init; }

    public required string Target { get; init; }

    public required BenchTally Tally { get; init; }

    public required LatencyHistogram Enqueues { get; init; }

    public required LatencyHistogram Leases { get; init; }

    public required LatencyHistogram Acks { get; init; }

    public TimeSpan OwnProcessorTime { get; init; }

    public required IReadOnlyList<(ServerProcess Process, TimeSpan? ProcessorTime, long? ResidentBytes)> Servers { get; init; }

    /// <summary>All that was to be done is done, and every outcome is known.</summary>
    public bool IsComplete => Tally.Failure is null && Tally.Unknown == 0 && Jobs > 0 && (Options.Mode != BenchMode.Cycle || Tally.Acked >= Tally.Enqueued);

    private long Jobs => Options.Mode == BenchMode.Enqueue ? Tally.Enqueued : Tally.Acked;

    private string Mode => Options.Mode switch { BenchMode.Cycle => "cycle", BenchMode.Reschedule => "reschedule", _ => "enqueue" };

    private IEnumerable<(string Name, LatencyHistogram Latencies)> Rows => Options.Mode switch
    {
        BenchMode.Cycle => [("enqueue", Enqueues), ("lease", Leases), ("ack", Acks)],
        BenchMode.Reschedule => [("lease", Leases), ("reschedule", Acks)],
        _ => [("enqueue", Enqueues)],
    };

    public void WriteTo(TextWriter writer)
    {
        writer.WriteLine($"{Mode}, queue {Options.Queue}, {Options.Connections} connection(s) to {Target}");
        writer.WriteLine($"durability {Durability}, batch size {Options.Batch}, payload {Options.PayloadBytes} bytes");
        if (Options.DelayOverMs > 0) writer.WriteLine($"delayMs drawn evenly up to {Options.DelayOverMs:N0}");
        if (Options.Mode == BenchMode.Reschedule) writer.WriteLine($"pullAheadMs {Options.PullAheadMs:N0}");
        if (Options.Rate is { } rate) writer.WriteLine($"wanted {rate:N0} jobs/s; latencies count from when a request was to begin");
        writer.WriteLine($"{Jobs:N0} jobs in {Tally.Elapsed.TotalSeconds:0.00} s: {Jobs / Tally.Elapsed.TotalSeconds:N0} jobs/s");
        var table = new TextTable("REQUEST", "COUNT", "PER SECOND", "P50 ms", "P90 ms", "P99 ms", "MAX ms");
        foreach ((string name, LatencyHistogram latencies) in Rows)
        {
            table.Add(
                name, $"{latencies.Count:N0}", $"{latencies.Count / Tally.Elapsed.TotalSeconds:N0}", Ms(latencies.Percentile(0.5)),
                Ms(latencies.Percentile(0.9)), Ms(latencies.Percentile(0.99)), Ms(latencies.Largest));
        }

        table.Write(writer);
        foreach ((ServerProcess process, TimeSpan? time, long? resident) in Servers)
        {
            writer.WriteLine(
                $"server {process.Address.GetLeftPart(UriPartial.Authority)}  process {process.Id}  CPU {time?.TotalSeconds:0.00} s  resident {resident / 1048576.0:0} MiB");
        }

        if (Servers.Count > 0) writer.WriteLine($"servers together CPU {ServersTime:0.00} s, {1e6 * ServersTime / Math.Max(1, Jobs):0.0} µs a job");
        writer.WriteLine($"this program CPU {OwnProcessorTime.TotalSeconds:0.00} s");
        if (Tally.Refused > 0) writer.WriteLine($"refused and sent again: {Tally.Refused:N0} requests");
        if (Tally.Unknown > 0) writer.WriteLine($"outcome unknown: {Tally.Unknown:N0} requests");
        if (Options.Mode == BenchMode.Cycle && Tally.Acked < Tally.Enqueued) writer.WriteLine($"not done: {Tally.Enqueued - Tally.Acked:N0} jobs");
        if (Tally.Failure is { } failure) writer.WriteLine($"ended early: {failure}");
    }

    public void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("mode", Mode);
        writer.WriteString("durability", Durability);
        writer.WriteNumber("connections", Options.Connections);
        writer.WriteNumber("batch", Options.Batch);
        writer.WriteNumber("payloadBytes", Options.PayloadBytes);
        if (Options.DelayOverMs > 0) writer.WriteNumber("delayOverMs", Options.DelayOverMs);
        if (Options.Mode == BenchMode.Reschedule) writer.WriteNumber("pullAheadMs", Options.PullAheadMs);
        if (Options.Rate is { } rate) writer.WriteNumber("wantedJobsPerSecond", rate);
        writer.WriteNumber("jobs", Jobs);
        writer.WriteNumber("seconds", Tally.Elapsed.TotalSeconds);
        writer.WriteNumber("jobsPerSecond", Math.Round(Jobs / Tally.Elapsed.TotalSeconds, 1));
        foreach ((string name, LatencyHistogram latencies) in Rows)
        {
            writer.WriteStartObject(name);
            writer.WriteNumber("count", latencies.Count);
            writer.WriteNumber("p50Ms", latencies.Percentile(0.5).TotalMilliseconds);
            writer.WriteNumber("p90Ms", latencies.Percentile(0.9).TotalMilliseconds);
            writer.WriteNumber("p99Ms", latencies.Percentile(0.99).TotalMilliseconds);
            writer.WriteNumber("maxMs", latencies.Largest.TotalMilliseconds);
            writer.WriteEndObject();
        }

        if (Servers.Count > 0) writer.WriteNumber("serversCpuSeconds", ServersTime);
        writer.WriteNumber("ownCpuSeconds", OwnProcessorTime.TotalSeconds);
        writer.WriteNumber("refused", Tally.Refused);
        writer.WriteNumber("unknown", Tally.Unknown);
        if (Tally.Failure is { } failure) writer.WriteString("failure", failure);
        writer.WriteEndObject();
    }

    private double ServersTime => Servers.Sum(server => server.ProcessorTime?.TotalSeconds ?? 0);

    private static string Ms(TimeSpan time) => $"{time.TotalMilliseconds:0.00}";
}
