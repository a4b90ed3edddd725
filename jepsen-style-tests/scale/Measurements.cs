using System.Diagnostics;
using System.Text.Json;
using RaftQueue.Bench;
using RaftQueue.Processes;

namespace RaftQueue.Scale;

/// <summary>What can be read of the nodes from outside.</summary>
internal sealed class Measurements(Cluster cluster, Verdict verdict, ScaleOptions options)
{
    private const long OverheadMiB = 300;

    /// <summary>Prints and judges resident memory: the budget and 300 MiB more, never above.</summary>
    public void Resident(string meaning)
    {
        foreach (ClusterNode node in cluster.Running)
        {
            double mib = new ServerProcess(node.ProcessId, node.Address).ResidentBytes() / 1048576.0 ?? 0;
            double highest = Field($"/proc/{node.ProcessId}/status", "VmHWM:") / 1024.0;
            Console.WriteLine(
                $"  {meaning}: node {node.Id} resident {mib:0} MiB (highest {highest:0}), data {DirectoryMiB(Path.Combine(node.DataDirectory, "shard-0")):0} MiB, "
                + $"log {DirectoryMiB(Path.Combine(node.DataDirectory, "wal")):0} MiB, read from the disk {ReadMiB(node, "read_bytes:"):0} MiB of {ReadMiB(node, "rchar:"):0} MiB asked for (the rest is the page cache's)");
            verdict.Check($"{meaning}: node {node.Id} keeps to budget + {OverheadMiB} MiB, not {highest:0} MiB", highest <= options.BudgetMiB + OverheadMiB);
        }
    }

    /// <summary>Prints what the jobs weigh on each node, and apart from it what the file has beyond that and what the log takes.</summary>
    public void Weight(long jobs)
    {
        foreach (ClusterNode node in cluster.Running)
        {
            if (ShardNumbers.Of(node) is not { } numbers) continue;
            double live = numbers.Allocated * 4096.0;
            double file = new FileInfo(Path.Combine(node.DataDirectory, "shard-0", "checkpoint")).Length; // small before the first checkpoint
            Console.WriteLine(
                $"  node {node.Id}: {live / jobs:0.0} bytes a job in {numbers.Allocated:N0} pages, {numbers.Resident:N0} of them in memory, {numbers.ColdReads:N0} cold reads; "
                + $"older and free space of the file {Math.Max(0, file - live) / 1048576:0} MiB ({file / live:0.00} times the state), log {DirectoryMiB(Path.Combine(node.DataDirectory, "wal")):0} MiB");
        }

        Console.WriteLine($"  page cache of the machine {Field("/proc/meminfo", "Cached:") / 1024:0} MiB, free {Field("/proc/meminfo", "MemFree:") / 1024:0} MiB");
    }

    /// <summary>Counts of one queue.</summary>
    public long Count(string queue, string state)
    {
        if (!cluster.Running[0].TryGet($"/v1/queues/{queue}", out byte[] body)) throw new IOException($"Queue {queue} cannot be read.");
        using JsonDocument document = JsonDocument.Parse(body);
        return document.RootElement.GetProperty("counts").GetProperty(state).GetInt64();
    }

    /// <summary>The term of the only shard, as the first running node knows it.</summary>
    public long Term()
    {
        if (!cluster.Running[0].TryGet("/v1/cluster", out byte[] body)) throw new IOException("A node does not tell of the cluster.");
        using JsonDocument document = JsonDocument.Parse(body);
        return document.RootElement.GetProperty("shards")[0].GetProperty("term").GetInt64();
    }

    /// <summary>What `raftqueue check` says of a stopped node: true when it is sound; prints its pages and what they cost a job.</summary>
    public bool Check(ClusterNode node, long jobs)
    {
        var start = new ProcessStartInfo(options.Program) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach (string argument in new[] { "check", node.DataDirectory }) start.ArgumentList.Add(argument);
        long begin = Stopwatch.GetTimestamp();
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string progress = process.StandardError.ReadToEnd();
        process.WaitForExit();
        string[] lines = progress.Split('\n');
        long pages = lines.Where(line => line.Contains("checkpoint at index", StringComparison.Ordinal) && line.EndsWith(" pages", StringComparison.Ordinal))
            .Select(line => long.Parse(line[(line.LastIndexOf(", ", StringComparison.Ordinal) + 2)..^6]))
            .FirstOrDefault();
        Console.WriteLine(
            $"  check of node {node.Id}: exit {process.ExitCode} after {Stopwatch.GetElapsedTime(begin).TotalSeconds:0.0} s; "
            + $"{pages:N0} pages in the newest checkpoint, {4096.0 * pages / jobs:0.0} bytes a job");
        if (process.ExitCode != 0) Console.WriteLine(output.GetAwaiter().GetResult());
        return process.ExitCode == 0;
    }

    private static double DirectoryMiB(string directory) => Directory.Exists(directory)
        ? Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length) / 1048576.0
        : 0;

    private static double ReadMiB(ClusterNode node, string field) => Field($"/proc/{node.ProcessId}/io", field) / 1048576.0;

    private static double Field(string file, string name)
    {
        string? line = File.ReadLines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal));
        return line is null ? 0 : double.Parse(line.AsSpan(name.Length).Trim().TrimEnd(" kB"));
    }
}
