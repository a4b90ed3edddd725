using System.Text.Json.Nodes;
using RaftQueue.Primitives;
using RaftQueue.Runtime;
using RaftQueue.Server.Contracts;
using RaftQueue.Server.Endpoints;
using RaftQueue.Server.Tests.Support;

namespace RaftQueue.Server.Tests.Http;

/// <summary>What a node tells of repair and doubt, in <c>GET /v1/cluster</c> and <c>/metrics</c>.</summary>
public sealed class StatusTests(TestNode node) : IClassFixture<TestNode>
{
    [Fact]
    public void TheClusterReplyShowsMendingAndDoubt()
    {
        var mending = new MendingStatus("fetching", new NodeId(3), 7, 9, 28_672);
        JsonNode shard = Cluster(Status(mending, inDoubt: true))["shards"]![0]!;
        Assert.True(shard["inDoubt"]!.GetValue<bool>());
        Assert.Equal("""{"phase":"fetching","from":3,"pagesDone":7,"pagesNeeded":9,"bytes":28672}""", shard["mending"]!.ToJsonString());
        Assert.Equal(40, shard["pages"]!["mendedPages"]!.GetValue<long>());

        JsonNode waiting = Cluster(Status(mending with { Phase = "waiting", From = NodeId.None }, inDoubt: false))["shards"]![0]!;
        Assert.Equal("""{"phase":"waiting","pagesDone":7,"pagesNeeded":9,"bytes":28672}""", waiting["mending"]!.ToJsonString());
        Assert.Null(waiting["inDoubt"]);
        Assert.Null(Cluster(Status(null, inDoubt: false))["shards"]![0]!["mending"]);
    }

    [Fact]
    public void TheMetricsShowThemToo()
    {
        string[] lines = MetricsEndpoint.Page(Status(new MendingStatus("fetching", new NodeId(3), 7, 9, 28_672), inDoubt: true), isReady: false).Split('\n');
        Assert.Contains("raftqueue_ready 0", lines);
        Assert.Contains("raftqueue_shard_in_doubt{shard=\"2\"} 1", lines);
        Assert.Contains("raftqueue_damaged_pages{shard=\"2\"} 2", lines);
        Assert.Contains("raftqueue_mended_pages_total{shard=\"2\"} 40", lines);
        Assert.Contains("raftqueue_shard_applied_index{shard=\"2\"} 12", lines);
        Assert.Contains("raftqueue_transfer_pages_needed{shard=\"2\"} 0", lines);
        string[] calm = MetricsEndpoint.Page(Status(null, inDoubt: false), isReady: true).Split('\n');
        Assert.Contains("raftqueue_ready 1", calm);
        Assert.Contains("raftqueue_shard_in_doubt{shard=\"2\"} 0", calm);
        Assert.Contains("raftqueue_damaged_pages{shard=\"2\"} 0", calm);
    }

    /// <summary>Text format 0.0.4: each family once, help and type before its values, an LF at the end.</summary>
    [Fact]
    public async Task APageOfMetricsIsWhatPrometheusReads()
    {
        using HttpResponseMessage reply = await node.Http.GetAsync(new Uri("/metrics", UriKind.Relative));
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", reply.Content.Headers.ContentType!.ToString());
        string page = await reply.Content.ReadAsStringAsync();
        Assert.EndsWith("\n", page, StringComparison.Ordinal);
        string? family = null;
        var families = new HashSet<string>();
        string[] lines = page.TrimEnd('\n').Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            if (lines[i].StartsWith("# HELP ", StringComparison.Ordinal))
            {
                family = lines[i].Split(' ')[2];
                Assert.True(families.Add(family), family);
                Assert.Matches($"^# TYPE {family} (gauge|counter)$", lines[++i]);
                continue;
            }

            Assert.Matches($"^{family}(\\{{(shard=\"[0-9]+\"|loop=\"[a-z]+\",at=\"[a-zA-Z]+\")\\}})? [0-9]+$", lines[i]);
        }

        Assert.Contains("raftqueue_ready 1", lines);
        Assert.Contains("raftqueue_shard_leader{shard=\"0\"} 1", lines);
        Assert.Contains("raftqueue_shard_in_doubt{shard=\"0\"} 0", lines);
        Assert.Contains(lines, line => line.StartsWith("raftqueue_loop_longest_microseconds{loop=\"log\",at=\"syncsLog\"} ", StringComparison.Ordinal));
    }

    [Fact]
    public void WhatHeldALoopUpIsToldInBoth()
    {
        NodeStatus status = Status(null, inDoubt: false);
        Assert.Equal(
            "[{\"name\":\"apply\",\"longestUs\":{\"coldPage\":312000,\"applies\":9}}]", Cluster(status)["loops"]!.ToJsonString());
        Assert.EndsWith(
            "raftqueue_loop_longest_microseconds{loop=\"apply\",at=\"coldPage\"} 312000\nraftqueue_loop_longest_microseconds{loop=\"apply\",at=\"applies\"} 9\n",
            MetricsEndpoint.Page(status, isReady: true),
            StringComparison.Ordinal);
    }

    private static JsonNode Cluster(NodeStatus status)
    {
        using var reply = new ReplyWriter();
        reply.Start(BodyFormat.Json);
        ClusterEndpoints.Write(reply, status, status.Shards.ToDictionary(shard => shard.Id.Value, _ => ((LogIndex, ulong)?)null), "quorum-fsync");
        reply.Finish();
        return JsonNode.Parse(Encoding.UTF8.GetString(reply.Written.Span))!;
    }

    private static NodeStatus Status(MendingStatus? mending, bool inDoubt) => new("test", new NodeId(1), default,
    [
        new ShardStatus(
            new ShardId(2), "follower", new Term(3), new NodeId(2), new LogIndex(14), new LogIndex(12), new LogIndex(15), new LogIndex(12), 7, default,
            new CheckpointStatus(new LogIndex(10), 0, 0, 0, 0, 0, 40), [], null, mending, inDoubt),
    ],
    [new LoopStatus("apply", [(LoopPhase.ColdPage, 312_000), (LoopPhase.Applies, 9)])]);
}
