using System.Text.Json.Nodes;
using RaftQueue.Server.Tests.Support;

namespace RaftQueue.Server.Tests.Http;

/// <summary>Queues, cluster and health, as the interface is described.</summary>
public sealed class QueuesTests(TestNode node) : IClassFixture<TestNode>
{
    [Fact]
    public async Task PutCreatesAndReplacesAndPatchMerges()
    {
        Reply created = await PutAsync("set", """{"defaults":{"priority":4,"retry":{"backoff":"fixed","jitter":0.25}},"keepFinished":5}""");
        Assert.True(created.Status == 201, created.Text);
        Assert.NotNull(created.Header("RaftQueue-Index"));
        Assert.Equal(200, (await PutAsync("set", """{"defaults":{"priority":4,"leaseMs":5000},"keepFinished":5}""")).Status);
        Reply patched = await node.Http.SendAsync(
            HttpMethod.Patch, "/v1/queues/set", """{"defaults":{"priority":null,"maxAttempts":2},"uniqueBy":["/a"]}"""u8.ToArray(), "application/merge-patch+json");
        Assert.True(patched.Status == 200, patched.Text);
        JsonNode settings = patched.Json["settings"]!;
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse("""{"leaseMs":5000,"maxAttempts":2}"""), settings["defaults"]), settings.ToJsonString());
        Assert.Equal((5, "/a"), (settings["keepFinished"]!.GetValue<int>(), settings["uniqueBy"]![0]!.GetValue<string>()));
        Reply job = await node.Http.PostAsync("/v1/queues/set/jobs", """{"payload":{"a":1}}""");
        Assert.Equal(2, job.Json["maxAttempts"]!.GetValue<int>());
        Reply duplicate = await node.Http.PostAsync("/v1/queues/set/jobs", """{"payload":{"a":1}}""");
        Assert.True(duplicate.Json["duplicate"]!.GetValue<bool>());
    }

    [Fact]
    public async Task JitterIsShownAsItWasGiven()
    {
        Reply reply = await PutAsync("jitter", """{"defaults":{"retry":{"backoff":"linear","baseMs":1,"maxMs":2,"jitter":0.25}}}""");
        Assert.Contains("\"jitter\":0.25", reply.Text, StringComparison.Ordinal);
        Assert.Contains("\"backoff\":\"linear\"", reply.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AQueueShowsItsCounts()
    {
        await node.Http.PostAsync("/v1/queues/counts/jobs", """{"jobs":[{},{},{"delayMs":60000}]}""");
        await node.Http.PostAsync("/v1/leases", """{"queues":["counts"]}""");
        Reply reply = await node.Http.GetReplyAsync("/v1/queues/counts");
        Assert.Equal(200, reply.Status);
        Assert.Equal(
            ["name", "settings", "paused", "counts", "oldestReadyAgeMs", "enqueuedTotal", "succeededTotal", "failedTotal"],
            reply.Json.AsObject().Select(member => member.Key));
        JsonNode counts = reply.Json["counts"]!;
        Assert.Equal((1, 1, 1, 0, 0, 0, 0), (Count("scheduled"), Count("ready"), Count("leased"), Count("succeeded"), Count("dead"), Count("cancelled"), Count("blocked")));
        Assert.Equal(3, reply.Json["enqueuedTotal"]!.GetValue<int>());
        Assert.False(reply.Json["paused"]!.GetValue<bool>());

        int Count(string state) => counts[state]!.GetValue<int>();
    }

    [Fact]
    public async Task AnUnknownQueueIsNotFound()
    {
        Reply reply = await node.Http.GetReplyAsync("/v1/queues/unheard-of");
        Assert.Equal((404, "queue_not_found"), (reply.Status, reply.Code));
        Assert.NotNull(reply.Header("RaftQueue-Index"));
        Assert.Equal(400, (await PutAsync("b%20d", "{}")).Status);
    }

    [Fact]
    public async Task ListsGoOnByCursor()
    {
        foreach (string name in new[] { "page-c", "page-a", "page-b" }) await PutAsync(name, "{}");
        var names = new List<string>();
        string path = "/v1/queues?limit=1";
        while (true)
        {
            Reply page = await node.Http.GetReplyAsync(path);
            Assert.True(page.Status == 200, page.Text);
            names.AddRange(page.Json["queues"]!.AsArray().Select(queue => queue!["name"]!.GetValue<string>()));
            if (page.Json["next"] is not { } next) break;
            Assert.Matches("^[A-Za-z0-9._~-]+$", next.GetValue<string>());
            path = $"/v1/queues?limit=1&cursor={next.GetValue<string>()}";
        }

        Assert.Equal(["page-a", "page-b", "page-c"], names.Where(name => name.StartsWith("page-", StringComparison.Ordinal)));
        Assert.Equal(names.Order(StringComparer.Ordinal), names);
    }

    [Theory]
    [InlineData("limit=0")]
    [InlineData("limit=1001")]
    [InlineData("limit=x")]
    [InlineData("limit=1&limit=2")]
    [InlineData("cursor=%20")]
    [InlineData("cursor=zzz")]
    [InlineData("cursor=!")]
    [InlineData("cursor=%C3%A9%C3%A9")]
    [InlineData("order=up")]
    public async Task AWrongParameterIsNamed(string query)
    {
        Reply reply = await node.Http.GetReplyAsync($"/v1/queues?{query}");
        Assert.Equal((400, "invalid_request"), (reply.Status, reply.Code));
        Assert.Equal([$"?{query.Split('=')[0]}"], reply.Pointers);
    }

    [Fact]
    public async Task TheClusterTellsOfItself()
    {
        await node.Http.PostAsync("/v1/queues/c/jobs", "{}");
        Reply reply = await node.Http.GetReplyAsync("/v1/cluster");
        Assert.Equal(["clusterId", "nodeId", "version", "durability", "shards", "loops"], reply.Json.AsObject().Select(member => member.Key));
        Assert.Equal(("test", 1), (reply.Json["clusterId"]!.GetValue<string>(), reply.Json["nodeId"]!.GetValue<int>()));
        JsonNode shard = reply.Json["shards"]![0]!;
        Assert.Equal(
            ["id", "role", "term", "leader", "commitIndex", "appliedIndex", "lastIndex", "stateHash", "pages", "members"],
            shard.AsObject().Select(member => member.Key));
        Assert.Equal(("leader", 1), (shard["role"]!.GetValue<string>(), shard["leader"]!.GetValue<int>()));
        Assert.Equal(["id", "http", "role", "matchIndex", "lagMs", "reachable"], shard["members"]![0]!.AsObject().Select(member => member.Key));
        Assert.Equal(
            ["allocated", "resident", "changed", "coldReads", "evictions", "evictionWrites", "evictionWaits", "longestEvictionUs", "longestPauseUs", "fetchedBytes", "mendedPages"],
            shard["pages"]!.AsObject().Select(member => member.Key));
        Assert.InRange(shard["pages"]!["resident"]!.GetValue<long>(), 2, shard["pages"]!["allocated"]!.GetValue<long>());
        Assert.Equal(["replica", "apply", "log"], reply.Json["loops"]!.AsArray().Select(loop => loop!["name"]!.GetValue<string>()));
        Assert.True(reply.Json["loops"]![1]!["longestUs"]!["applies"]!.GetValue<long>() > 0);
        Assert.True(reply.Json["loops"]![2]!["longestUs"]!["syncsLog"]!.GetValue<long>() > 0);
        Assert.Equal("voter", shard["members"]![0]!["role"]!.GetValue<string>());
        long index = shard["stateHash"]!["index"]!.GetValue<long>();
        JsonNode at = (await node.Http.GetReplyAsync($"/v1/cluster?hashAt={index}")).Json["shards"]![0]!["stateHash"]!;
        Assert.Equal((index, shard["stateHash"]!["hash"]!.GetValue<string>()), (at["index"]!.GetValue<long>(), at["hash"]!.GetValue<string>()));
        JsonNode none = (await node.Http.GetReplyAsync("/v1/cluster?hashAt=999999999")).Json["shards"]![0]!;
        Assert.False(none.AsObject().ContainsKey("stateHash"));
        Assert.Equal(400, (await node.Http.GetReplyAsync("/v1/cluster?hashAt=x")).Status);
    }

    [Fact]
    public async Task HealthIsAnswered()
    {
        Assert.Equal(200, (await node.Http.GetReplyAsync("/healthz/live")).Status);
        Assert.Equal(200, (await node.Http.GetReplyAsync("/healthz/ready")).Status);
    }

    private Task<Reply> PutAsync(string queue, string json) =>
        node.Http.SendAsync(HttpMethod.Put, $"/v1/queues/{queue}", Encoding.UTF8.GetBytes(json), "application/json");
}
