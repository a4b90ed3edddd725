using System.CommandLine;
using RaftQueue.Bench;
using RaftQueue.Output;
using RaftQueue.Primitives;
using RaftQueue.Storage;

namespace RaftQueue.Commands;

/// <summary>Measures a disk by itself, so that its tail can be told from RaftQueue's.</summary>
internal static class BenchDiskCommand
{
    private const double DefaultSeconds = 5;

    public static Command Build()
    {
        var directory = new Argument<string>("DIR")
        {
            Description = "A directory on the disk; a file of 16 MiB is made there and removed.",
            DefaultValueFactory = _ => ".",
        };
        var seconds = new Option<double>("--seconds")
        {
            Description = $"How long to write. Default {DefaultSeconds}.",
            HelpName = "S",
            DefaultValueFactory = _ => DefaultSeconds,
        };
        var json = new Option<bool>("--json") { Description = "One JSON object." };
        var command = new Command("disk", "Times small durable writes (4 KiB and fdatasync) in a directory.") { directory, seconds, json };
        command.SetAction(parsed => Run(parsed.GetValue(directory)!, parsed.GetValue(seconds), parsed.GetValue(json)));
        return command;
    }

    private static int Run(string directory, double seconds, bool json)
    {
        if (!Directory.Exists(directory)) throw new UsageException($"there is no directory \"{directory}\".");
        if (seconds is not (> 0 and <= 86_400)) throw new UsageException($"--seconds is {seconds}; it may be above 0, to 86400.");
        var bench = new DiskBench();
        using var signals = new StopSignals();
        try
        {
            bench.Run(new LinuxDisk(), directory, TimeSpan.FromSeconds(seconds), signals.Stop);
        }
        catch (DiskException exception)
        {
            Console.Error.WriteLine($"raftqueue: {exception.Message}");
            return ExitCode.Failed;
        }

        if (json) JsonLine.Write(bench.WriteTo);
        else bench.WriteTo(Console.Out);
        return ExitCode.Done;
    }
}
