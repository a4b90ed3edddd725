using System.CommandLine;
using RaftQueue.Output;
using RaftQueue.Pages;
using RaftQueue.Storage;

namespace RaftQueue.Commands;

/// <summary>Reads a stopped node's data directory and says what is wrong and where. Changes nothing.</summary>
internal static class CheckCommand
{
    public static Command Build()
    {
        var directory = new Argument<string>("DIR") { Description = "A node's data directory. The node must be stopped." };
        var json = new Option<bool>("--json") { Description = "One JSON object a line." };
        var command = new Command("check", "Offline check of a data directory: every checksum of log, hard state and checkpoints.") { directory, json };
        command.SetAction(parsed => Run(parsed.GetValue(directory)!, parsed.GetValue(json)));
        return command;
    }

    private static int Run(string directory, bool json)
    {
        if (!Directory.Exists(directory)) throw new UsageException($"there is no directory \"{directory}\".");
        var disk = new LinuxDisk();
        CheckReport log = StorageCheck.Check(disk, directory, Progress);
        foreach (string note in log.Notes) Tell("note", note, json);
        var problems = new List<string>(log.Problems);
        foreach (string shard in Directory.GetDirectories(directory, "shard-*").Order(StringComparer.Ordinal))
        {
            string path = Path.Combine(shard, "checkpoint");
            CheckpointCheckReport report = CheckpointCheck.Check(disk, path, Progress);
            problems.AddRange(report.Damage.Select(damage => $"{path}: {damage}"));
            if (report.DamageCount > report.Damage.Count) problems.Add($"{path}: and {report.DamageCount - report.Damage.Count} more");
            foreach (CheckpointInfo info in report.Checkpoints) Tell("note", $"{path}: checkpoint at index {info.Index.Value}", json);
        }

        foreach (string problem in problems) Tell("problem", problem, json);
        Tell("result", problems.Count == 0 ? "sound" : $"{problems.Count} problems", json);
        return problems.Count == 0 ? ExitCode.Done : ExitCode.Failed;
    }

    private static void Progress(string line) => Console.Error.WriteLine(line);

    private static void Tell(string kind, string text, bool json)
    {
        if (!json)
        {
            Console.Out.WriteLine($"{kind}: {text}");
            return;
        }

        JsonLine.Write(writer =>
        {
            writer.WriteStartObject();
            writer.WriteString(kind, text);
            writer.WriteEndObject();
        });
    }
}
