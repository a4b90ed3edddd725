using System.CommandLine;
using RaftQueue.Dev;

namespace RaftQueue.Commands;

/// <summary>A local cluster, a process for each node.</summary>
internal static class DevCommand
{
    private const int MostNodes = 9;

    public static Command Build()
    {
        var nodes = new Option<int?>("--nodes") { Description = "How many nodes, 1 to 9. Default 3.", HelpName = "N" };
        var port = new Option<int?>("--port") { Description = "HTTP on this port, the next, … Default 8001.", HelpName = "PORT" };
        var peerPort = new Option<int?>("--peer-port") { Description = "The first port between the nodes. Default: 1,000 above --port.", HelpName = "PORT" };
        var data = new Option<string>("--data") { Description = "Where the data is kept.", HelpName = "DIR", DefaultValueFactory = _ => ".raftqueue" };
        var restart = new Option<bool>("--restart") { Description = "Start a node that died again after a second." };
        var command = new Command("dev", "A local cluster, one process per node.") { nodes, port, peerPort, data, restart };
        command.SetAction(async (parsed, _) =>
        {
            Check("--nodes", parsed.GetValue(nodes), MostNodes);
            Check("--port", parsed.GetValue(port), 65_535 - MostNodes);
            Check("--peer-port", parsed.GetValue(peerPort), 65_535 - MostNodes);
            DevFiles files = DevFiles.Open(parsed.GetValue(data)!, parsed.GetValue(nodes), parsed.GetValue(port), parsed.GetValue(peerPort));
            using var signals = new StopSignals();
            return await new DevCluster(files, parsed.GetValue(restart)).RunAsync(signals.Stop, signals.Abort);
        });
        return command;
    }

    private static void Check(string option, int? value, int most)
    {
        if (value < 1 || value > most) throw new UsageException($"{option} is {value}; it may be 1 to {most}.");
    }
}
