using System.Diagnostics;
using System.Text.Json;
using RaftQueue.Output;
using RaftQueue.Primitives;

namespace RaftQueue.Bench;

/// <summary>
/// What a small durable write costs here, without RaftQueue: 4 KiB over zero-filled blocks and fdatasync, one after the other, as the
/// log of an idle cluster does for one job at a time.
/// </summary>
internal sealed class DiskBench
{
    private const string FileName = "raftqueue-bench-disk.tmp";
    private const int FileBytes = 16 * 1024 * 1024;
    private const int BlockBytes = 4096;

    private readonly LatencyHistogram _writes = new();
    private TimeSpan _elapsed;

    /// <summary>Writes for a while in a file of its own in an existing directory, and removes the file.</summary>
    /// <exception cref="DiskException">The disk refuses.</exception>
    public void Run(IDisk disk, string directory, TimeSpan time, CancellationToken stop)
    {
        string path = Path.Combine(directory, FileName);
        try
        {
            using IDiskFile file = disk.Open(path, create: true);
            file.Allocate(FileBytes);
            byte[] block = new byte[BlockBytes];
            long start = Stopwatch.GetTimestamp();
            for (int number = 1; !stop.IsCancellationRequested && (_elapsed = Stopwatch.GetElapsedTime(start)) < time; number++)
            {
                // Not zeros again: a disk that knows its data must not find out that nothing changed.
                BitConverter.TryWriteBytes(block, number);
                long before = Stopwatch.GetTimestamp();
                file.WriteAt((long)number * BlockBytes % FileBytes, block);
                file.DataSync();
                _writes.Record(Stopwatch.GetTimestamp() - before);
            }
        }
        finally
        {
            disk.Delete(path);
        }
    }

    public void WriteTo(TextWriter writer)
    {
        writer.WriteLine($"4 KiB written over zero-filled blocks and fdatasync, {_elapsed.TotalSeconds:0.00} s");
        var table = new TextTable("WRITES", "PER SECOND", "P50 ms", "P90 ms", "P99 ms", "MAX ms");
        table.Add(
            $"{_writes.Count:N0}", $"{_writes.Count / _elapsed.TotalSeconds:N0}", Ms(_writes.Percentile(0.5)), Ms(_writes.Percentile(0.9)),
            Ms(_writes.Percentile(0.99)), Ms(_writes.Largest));
        table.Write(writer);
    }

    public void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteNumber("writes", _writes.Count);
        writer.WriteNumber("seconds", _elapsed.TotalSeconds);
        writer.WriteNumber("p50Ms", _writes.Percentile(0.5).TotalMilliseconds);
        writer.WriteNumber("p90Ms", _writes.Percentile(0.9).TotalMilliseconds);
        writer.WriteNumber("p99Ms", _writes.Percentile(0.99).TotalMilliseconds);
        writer.WriteNumber("maxMs", _writes.Largest.TotalMilliseconds);
        writer.WriteEndObject();
    }

    private static string Ms(TimeSpan time) => $"{time.TotalMilliseconds:0.00}";
}
