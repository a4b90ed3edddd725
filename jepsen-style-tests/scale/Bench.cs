using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using RaftQueue.Processes;

namespace RaftQueue.Scale;

/// <summary>Runs of `raftqueue bench`, each a process of its own.</summary>
internal sealed class Bench(string program, Cluster cluster)
{
    private const int Batch = 100;
    private const int LoadBatch = 1000;
    private const string Month = "30d";

    /// <summary>Jobs of 100 bytes with delays drawn over 30 days.</summary>
    public JsonElement Load(string queue, long jobs) => Run("enqueue", queue, "--jobs", Text(jobs), "--batch", Text(LoadBatch), "--connections", "4", "--delay-over", Month);

    /// <summary>Jobs that are due at one moment.</summary>
    public JsonElement LoadDueAt(string queue, long jobs, DateTimeOffset due) =>
        Run("enqueue", queue, "--jobs", Text(jobs), "--batch", Text(LoadBatch), "--connections", "4", "--run-at", due.ToString("O", CultureInfo.InvariantCulture));

    /// <summary>Leases what is due next and schedules it again.</summary>
    /// <param name="rate">Jobs a second; null: as many as possible.</param>
    public JsonElement Reschedule(string queue, long seconds, long? rate) => Run(
        "reschedule", queue,
        [.. new[] { "--seconds", Text(seconds), "--batch", Text(Batch), "--connections", "16" }, .. rate is { } wanted ? ["--rate", Text(wanted)] : Array.Empty<string>()]);

    /// <summary>Single jobs, one at a time, 200 a second: what somebody else sees meanwhile.</summary>
    /// <param name="seconds">How long.</param>
    /// <param name="at">Through which node alone; null: any that runs.</param>
    public Process StartOtherWork(long seconds, ClusterNode? at = null) =>
        Start("enqueue", "other", at is null ? cluster.Running : [at], "--seconds", Text(seconds), "--connections", "1", "--rate", "200");

    public JsonElement Result(Process bench)
    {
        string output = bench.StandardOutput.ReadToEnd();
        bench.WaitForExit();
        if (output.Length == 0) throw new IOException($"A bench run ended with {bench.ExitCode} and printed nothing.");
        return JsonDocument.Parse(output).RootElement;
    }

    public static string Latencies(JsonElement report, string request)
    {
        JsonElement row = report.GetProperty(request);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{request} p50 {row.GetProperty("p50Ms").GetDouble():0.0} p99 {row.GetProperty("p99Ms").GetDouble():0.0} max {row.GetProperty("maxMs").GetDouble():0.0} ms");
    }

    private JsonElement Run(string mode, string queue, params string[] more)
    {
        using Process process = Start(mode, queue, cluster.Running, more);
        return Result(process);
    }

    private Process Start(string mode, string queue, IReadOnlyList<ClusterNode> through, params string[] more)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, UseShellExecute = false };
        foreach (string argument in new[] { "bench", mode, "--queue", queue, "--json", "--server", string.Join(',', through.Select(node => node.Address)) })
        {
            start.ArgumentList.Add(argument);
        }

        foreach (string argument in more) start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
