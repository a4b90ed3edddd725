using System.CommandLine;
using System.Text.Json;
using RaftQueue.Client;
using RaftQueue.Output;

namespace RaftQueue.Commands;

/// <summary>Shows the cluster as the node that answers sees it.</summary>
internal static class ClusterCommand
{
    public static Command Build()
    {
        var settings = new ClientSettings();
        var command = new Command("cluster", "Leader, log positions and members, as the node that answers sees them.");
        settings.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            using RaftQueueClient client = settings.Connect(parsed);
            if (settings.IsJson(parsed))
            {
                using JsonDocument cluster = await client.GetJsonAsync("v1/cluster", cancel: cancel);
                JsonLine.Write(cluster.RootElement);
            }
            else
            {
                Write(await client.GetClusterAsync(cancel));
            }

            return ExitCode.Done;
        });
        return command;
    }

    private static void Write(ClusterInfo cluster)
    {
        Console.Out.WriteLine($"cluster {cluster.ClusterId}, as node {cluster.NodeId} sees it (version {cluster.Version})");
        foreach (ShardInfo shard in cluster.Shards)
        {
            string leader = shard.Leader is { } id ? $"node {id}" : "not known";
            Console.Out.WriteLine(
                $"shard {shard.Id}: leader {leader}, term {shard.Term}, committed {shard.CommitIndex}, applied {shard.AppliedIndex}, log ends at {shard.LastIndex}");
            if (shard.Transfer is { } transfer)
            {
                string from = transfer.From is { } peer ? $" from node {peer}" : "";
                Console.Out.WriteLine(
                    $"  state at {transfer.Index}{from}: {transfer.Phase}, {transfer.PagesDone} of {transfer.PagesNeeded} pages, {transfer.Bytes} bytes");
            }

            if (shard.InDoubt) Console.Out.WriteLine("  IN DOUBT: the state is another than a voter's, no majority is known to agree on any, nobody is served");
            if (shard.Mending is { } mending)
            {
                string from = mending.From is { } peer ? $" from node {peer}" : "";
                Console.Out.WriteLine(
                    $"  damaged pages of its own{from}: {mending.Phase}, {mending.PagesDone} of {mending.PagesNeeded} pages, {mending.Bytes} bytes");
            }

            var table = new TextTable("  NODE", "ROLE", "HTTP", "MATCH", "LAG", "REACHABLE");
            foreach (ClusterMember member in shard.Members)
            {
                // How far another node is, its leader alone knows.
                bool isKnown = shard.Role == "leader" || member.Id == cluster.NodeId;
                table.Add(
                    $"  {member.Id}", member.Role ?? "-", member.Http ?? "-", isKnown && member.MatchIndex is { } match ? $"{match}" : "-",
                    isKnown && member.Lag is { } lag ? $"{lag.TotalMilliseconds:0} ms" : "-", member.Reachable ? "yes" : "no");
            }

            table.Write(Console.Out);
        }
    }
}
