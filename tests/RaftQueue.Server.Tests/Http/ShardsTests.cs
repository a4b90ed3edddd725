using System.Globalization;
using System.Text.Json.Nodes;
using RaftQueue.Jobs;
using RaftQueue.Server.Tests.Support;

namespace RaftQueue.Server.Tests.Http;

/// <summary>Requests that go to several shards.</summary>
public sealed class ShardsTests : IAsyncLifetime
{
    private const int Shards = 4;
    private readonly TestNode _node = new(new Dictionary<string, string?> { ["RaftQueue:Shards"] = Shards.ToString(CultureInfo.InvariantCulture) });

    public Task InitializeAsync() => _node.InitializeAsync();

    public Task DisposeAsync() => _node.DisposeAsync();

    [Fact]
    public async Task TokensOfSeveralShardsAreAnsweredInTheirOrder()
    {
        List<string> tokens = [];
        foreach (int shard in new[] { 2, 0, 3, 0 }) tokens.Add(await TokenAsync(QueueOf(shard)));
        string acks = string.Join(',', tokens.Append("garbage").Select(token => $"{{\"token\":\"{token}\"}}"));
        Reply reply = await _node.Http.PostAsync("/v1/leases/ack", $"{{\"acks\":[{acks}]}}");
        Assert.Equal(tokens.Append("garbage"), reply.Json["results"]!.AsArray().Select(result => result!["token"]!.GetValue<string>()));
        Assert.Equal(
            ["ok", "ok", "ok", "ok", "lease_lost"], reply.Json["results"]!.AsArray().Select(result => result!["status"]!.GetValue<string>()));
        Assert.Matches("^0:[0-9]+,2:[0-9]+,3:[0-9]+$", reply.Header("RaftQueue-Index")!);
    }

    [Fact]
    public async Task ALeaseHoldsJobsOfOneShardAndAKeyedOneNamesOnlyOne()
    {
        string first = QueueOf(1);
        string second = QueueOf(2);
        foreach (string queue in new[] { first, second }) await _node.Http.PostAsync($"/v1/queues/{queue}/jobs", "{}");
        string body = $"{{\"queues\":[\"{first}\",\"{second}\"],\"maxJobs\":10,\"waitMs\":5000}}";
        Reply keyed = await _node.Http.PostAsync("/v1/leases", body, ("Idempotency-Key", "k"));
        Assert.Equal(400, keyed.Status);
        Assert.Equal(["/queues"], keyed.Pointers);
        Reply one = await _node.Http.PostAsync("/v1/leases", body);
        Reply two = await _node.Http.PostAsync("/v1/leases", body);
        Assert.Equal([first], one.Json["jobs"]!.AsArray().Select(job => job!["queue"]!.GetValue<string>()));
        Assert.Equal([second], two.Json["jobs"]!.AsArray().Select(job => job!["queue"]!.GetValue<string>()));
        Assert.StartsWith("2:", two.Header("RaftQueue-Index"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AListGoesOverAllShards()
    {
        List<string> queues = [.. Enumerable.Range(0, Shards).Select(shard => QueueOf(shard, "list"))];
        foreach (string queue in queues) await _node.Http.PostAsync($"/v1/queues/{queue}/jobs", "{}");
        var names = new List<string>();
        string? next = null;
        do
        {
            Reply page = await _node.Http.GetReplyAsync($"/v1/queues?limit=2{(next is null ? "" : $"&cursor={next}")}");
            Assert.Matches("^0:[0-9]+,1:[0-9]+,2:[0-9]+,3:[0-9]+$", page.Header("RaftQueue-Index")!);
            names.AddRange(page.Json["queues"]!.AsArray().Select(queue => queue!["name"]!.GetValue<string>()));
            next = page.Json["next"]?.GetValue<string>();
        }
        while (next is not null);
        Assert.Equal(queues.Order(StringComparer.Ordinal), names.Where(queues.Contains));
    }

    private static string QueueOf(int shard, string prefix = "q")
    {
        for (int i = 0; ; i++)
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"{prefix}-{i}");
            if (QueueName.ShardOf(Encoding.UTF8.GetBytes(name), Shards).Value == shard) return name;
        }
    }

    private async Task<string> TokenAsync(string queue)
    {
        await _node.Http.PostAsync($"/v1/queues/{queue}/jobs", "{}");
        JsonNode leased = (await _node.Http.PostAsync("/v1/leases", $"{{\"queues\":[\"{queue}\"]}}")).Json;
        return leased["jobs"]![0]!["lease"]!["token"]!.GetValue<string>();
    }
}
