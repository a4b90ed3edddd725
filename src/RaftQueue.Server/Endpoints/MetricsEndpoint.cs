using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using RaftQueue.Primitives;
using RaftQueue.Runtime;

namespace RaftQueue.Server.Endpoints;

/// <summary>
/// <c>GET /metrics</c>: what an alarm should hang on, in the text format of Prometheus (version 0.0.4), one line a shard or a loop. Of the node that is asked,
/// without waiting for anything.
/// </summary>
internal static class MetricsEndpoint
{
    private const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    public static void Map(IEndpointRouteBuilder routes, ServerContext server) => routes.MapLook("/metrics", Handling.Of(server, static exchange =>
        WriteAsync(exchange.Http, Encoding.UTF8.GetBytes(Page(exchange.Node.Status(), exchange.Node.IsReady)))));

    /// <summary>The whole page; line ends are LF.</summary>
    internal static string Page(NodeStatus status, bool isReady)
    {
        var page = new StringBuilder(4096);
        Head(page, "raftqueue_ready", "gauge", "1 when this node can serve any request now.");
        page.Append(CultureInfo.InvariantCulture, $"raftqueue_ready {(isReady ? 1 : 0)}\n");
        Add(page, status, "raftqueue_shard_leader", "gauge", "1 on the node that leads the shard.", shard => shard.Role == "leader" ? 1 : 0);
        Add(page, status, "raftqueue_shard_commit_index", "gauge", "Log index known to be committed.", shard => shard.CommitIndex.Value);
        Add(page, status, "raftqueue_shard_applied_index", "gauge", "Log index applied to the state.", shard => shard.AppliedIndex.Value);
        Add(
            page, status, "raftqueue_shard_in_doubt", "gauge",
            "1 while the state here is another than a voter's and no majority is known to agree on any: nobody is served.", shard => shard.InDoubt ? 1 : 0);
        Add(
            page, status, "raftqueue_damaged_pages", "gauge", "Pages of this node's own state found damaged and not whole again.",
            shard => shard.Mending is { } mending ? mending.PagesNeeded - mending.PagesDone : 0);
        Add(page, status, "raftqueue_mended_pages_total", "counter", "Damaged pages that came from other nodes again.", shard => shard.Checkpoint.MendedPages);
        Add(
            page, status, "raftqueue_transfer_pages_needed", "gauge", "Pages of the state that differ and come from other nodes; 0 while none are fetched.",
            shard => shard.Transfer?.PagesNeeded ?? 0);
        Add(page, status, "raftqueue_transfer_pages_done", "gauge", "Of these, how many are here.", shard => shard.Transfer?.PagesDone ?? 0);
        Add(
            page, status, "raftqueue_transfer_bytes_total", "counter", "Bytes of pages fetched from other nodes by transfers that are over.",
            shard => shard.Checkpoint.FetchedBytes);
        Head(page, "raftqueue_loop_longest_microseconds", "gauge", "The longest time since the start that a loop was at one thing.");
        foreach (LoopStatus loop in status.Loops)
        {
            foreach ((LoopPhase at, long microseconds) in loop.Longest)
                page.Append(CultureInfo.InvariantCulture, $"raftqueue_loop_longest_microseconds{{loop=\"{loop.Name}\",at=\"{ClusterEndpoints.NameOf(at)}\"}} {microseconds}\n");
        }

        return page.ToString();
    }

    private static void Add(StringBuilder page, NodeStatus status, string name, string type, string help, Func<ShardStatus, long> value)
    {
        Head(page, name, type, help);
        foreach (ShardStatus shard in status.Shards)
            page.Append(CultureInfo.InvariantCulture, $"{name}{{shard=\"{shard.Id.Value}\"}} {value(shard)}\n");
    }

    private static void Head(StringBuilder page, string name, string type, string help) =>
        page.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");

    private static async Task WriteAsync(HttpContext http, byte[] page)
    {
        http.Response.ContentType = ContentType;
        http.Response.ContentLength = page.Length;
        await http.Response.BodyWriter.WriteAsync(page, http.RequestAborted).ConfigureAwait(false);
    }
}
