using System.CommandLine;
using RaftQueue.Output;
using RaftQueue.Runtime;
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
        CheckReport report = DirectoryCheck.Check(new LinuxDisk(), directory, Progress);
        foreach (string note in report.Notes) Tell("note", note, json);
        foreach (string problem in report.Problems) Tell("problem", problem, json);
        Tell("result", report.IsSound ? "sound" : $"{report.Problems.Count} problems", json);
        return report.IsSound ? ExitCode.Done : ExitCode.Failed;
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
