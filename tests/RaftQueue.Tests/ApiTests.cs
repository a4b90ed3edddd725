using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace RaftQueue.Tests;

/// <summary>The HTTP interface of three real nodes: whatever is asked of one is seen by all, and each answers in the same way.</summary>
public sealed class ApiTests(LocalCluster cluster) : IClassFixture<LocalCluster>
{
    private static readonly HttpClient Client = new() { Timeout = Run.Patience };

    public static TheoryData<int> Nodes => [1, 2, 3];

    [Theory]
    [MemberData(nameof(Nodes))]
    public async Task AJobGoesThroughAllNodes(int first)
    {
        int second = (first % 3) + 1;
        int third = (second % 3) + 1;
        string queue = $"way{first}";
        Answer made = await PostAsync(first, $"/v1/queues/{queue}/jobs", """{"payload":{"n":1.0},"priority":3}""");
        Assert.Equal(HttpStatusCode.Created, made.Status);
        string id = made.Text("id");
        Assert.Equal($"/v1/jobs/{id}", made.Location);
        Answer leased = await PostAsync(second, "/v1/leases", $$"""{"queues":["{{queue}}"],"worker":"w"}""");
        JsonElement grant = Assert.Single(leased.Body.GetProperty("jobs").EnumerateArray());
        Assert.Equal(id, grant.GetProperty("id").GetString());
        string token = grant.GetProperty("lease").GetProperty("token").GetString()!;
        Answer extended = await PostAsync(third, "/v1/leases/extend", $$"""{"extends":[{"token":"{{token}}","leaseMs":60000,"progress":{"half":true} }]}""");
        Assert.Equal("ok", extended.Result(0).GetProperty("status").GetString());
        Answer acked = await PostAsync(first, "/v1/leases/ack", $$"""{"acks":[{"token":"{{token}}","result":1.50},{"token":"none"}]}""");
        Assert.Equal("ok", acked.Result(0).GetProperty("status").GetString());
        Assert.Equal("lease_lost", acked.Result(1).GetProperty("status").GetString());
        Assert.True(made.Index < leased.Index && leased.Index < extended.Index && extended.Index < acked.Index);
        foreach (int node in new[] { 1, 2, 3 })
        {
            Answer job = await GetAsync(node, $"/v1/jobs/{id}");
            Assert.Equal("succeeded", job.Text("state"));
            Assert.Equal("1.50", job.Body.GetProperty("result").GetRawText());
            Assert.Equal("""{"n":1.0}""", job.Body.GetProperty("payload").GetRawText());
            Assert.True(job.Index >= acked.Index, "a read shows what was answered before it");
        }
    }

    [Theory]
    [MemberData(nameof(Nodes))]
    public async Task ARequestThatWaitsAtOneNodeIsWokenByAnother(int node)
    {
        int other = (node % 3) + 1;
        string queue = $"wake{node}";
        Task<Answer> waiting = PostAsync(node, "/v1/leases", $$"""{"queues":["{{queue}}"],"waitMs":60000}""");
        Answer made = await PostAsync(other, $"/v1/queues/{queue}/jobs", """{"jobs":[{"payload":1}]}""");
        Answer leased = await waiting;
        JsonElement grant = Assert.Single(leased.Body.GetProperty("jobs").EnumerateArray());
        string id = grant.GetProperty("id").GetString()!;
        Assert.Equal(made.Body.GetProperty("jobs")[0].GetProperty("id").GetString(), id);
        Task<Answer> finished = GetAsync(node, $"/v1/jobs/{id}?waitMs=60000");
        string token = grant.GetProperty("lease").GetProperty("token").GetString()!;
        await PostAsync(other, "/v1/leases/nack", $$"""{"nacks":[{"token":"{{token}}","error":"no","dead":true}]}""");
        Assert.Equal("dead", (await finished).Text("state"));
    }

    [Theory]
    [MemberData(nameof(Nodes))]
    public async Task ARepeatUnderAKeyIsTheSameAtAnyNode(int node)
    {
        string path = $"/v1/queues/repeat{node}/jobs";
        Answer first = await PostAsync(node, path, """{"payload":1}""", key: "k");
        foreach (int other in new[] { 1, 2, 3 })
        {
            Answer again = await PostAsync(other, path, """{"payload":1}""", key: "k");
            Assert.Equal((HttpStatusCode.Created, first.Text("id"), first.Index), (again.Status, again.Text("id"), again.Index));
            Assert.True(again.IsReplay);
            Answer another = await PostAsync(other, path, """{"payload":2}""", key: "k");
            Assert.Equal((HttpStatusCode.Conflict, "idempotency_conflict"), (another.Status, another.Text("code")));
        }

        Assert.Equal(1, (await GetAsync(node, $"/v1/queues/repeat{node}")).Body.GetProperty("enqueuedTotal").GetInt32());
    }

    [Theory]
    [MemberData(nameof(Nodes))]
    public async Task AUniqueKeyHasOneHolderWhicheverNodeIsAsked(int node)
    {
        string path = $"/v1/queues/unique{node}/jobs";
        string id = (await PostAsync(node, path, """{"payload":1,"unique":{"key":"k"}}""")).Text("id");
        foreach (int other in new[] { 1, 2, 3 })
        {
            Answer same = await PostAsync(other, path, """{"unique":{"key":"k"}}""");
            Assert.Equal((HttpStatusCode.OK, id, true), (same.Status, same.Text("id"), same.Body.GetProperty("duplicate").GetBoolean()));
            Answer refused = await PostAsync(other, path, """{"jobs":[{},{"unique":{"key":"k","onConflict":"reject"}}]}""");
            Assert.Equal((HttpStatusCode.Conflict, "unique_conflict", id), (refused.Status, refused.Text("code"), refused.Text("jobId")));
            Answer replaced = await PostAsync(other, path, $$"""{"payload":{{other}},"unique":{"key":"k","onConflict":"replace"} }""");
            Assert.True(replaced.Body.GetProperty("replaced").GetBoolean());
            Assert.Equal($"{other}", (await GetAsync(node, $"/v1/jobs/{id}")).Body.GetProperty("payload").GetRawText());
        }

        Answer cancelled = await SendAsync(node, HttpMethod.Delete, $"/v1/jobs/{id}");
        Assert.Equal((HttpStatusCode.OK, "cancelled"), (cancelled.Status, cancelled.Text("state")));
        Assert.Equal(HttpStatusCode.Created, (await PostAsync((node % 3) + 1, path, """{"unique":{"key":"k"}}""")).Status);
    }

    [Theory]
    [MemberData(nameof(Nodes))]
    public async Task SettingsOfAQueueCountAtEveryNode(int node)
    {
        string path = $"/v1/queues/settings{node}";
        const string settings = """{"defaults":{"priority":7,"leaseMs":1234},"uniqueBy":["/customer"]}""";
        Assert.Equal(HttpStatusCode.Created, (await SendAsync(node, HttpMethod.Put, path, settings)).Status);
        foreach (int other in new[] { 1, 2, 3 })
        {
            Answer seen = await GetAsync(other, path);
            Assert.Equal(settings, seen.Body.GetProperty("settings").GetRawText());
            Answer job = await PostAsync(other, $"{path}/jobs", $$"""{"payload":{"customer":{{other}} } }""");
            Assert.Equal((7, $"[{other}]"), (job.Body.GetProperty("priority").GetInt32(), job.Text("uniqueKey")));
        }
    }

    [Theory]
    [MemberData(nameof(Nodes))]
    public async Task WhatIsWrongIsRefusedTheSameWayByEveryNode(int node)
    {
        string path = $"/v1/queues/wrong{node}/jobs";
        (string Body, string Says)[] bodies =
        [
            ("""{"payload":""", "not valid JSON"),
            ("""{"paylod":1}""", "/paylod"),
            ("""{"delayMs":-1}""", "/delayMs"),
            ("""{"delayMs":99999999999999}""", "/delayMs"),
            ("""{"type":"\ud800"}""", "lone surrogate"),
            ("""{"group":"g"}""", "not available yet"),
            ("""{"jobs":[{},{"priority":"x"}]}""", "/jobs/1/priority"),
        ];
        foreach ((string body, string says) in bodies)
        {
            Answer refused = await PostAsync(node, path, body);
            Assert.Equal((HttpStatusCode.BadRequest, "invalid_request"), (refused.Status, refused.Text("code")));
            Assert.Contains(says, refused.Text("detail"), StringComparison.Ordinal);
        }

        Assert.Equal("payload_too_large", (await PostAsync(node, path, $"\"{new string('x', 9_000_000)}\"")).Text("code"));
        Assert.Equal("queue_not_found", (await GetAsync(node, $"/v1/queues/wrong{node}")).Text("code"));
        Assert.Equal("job_not_found", (await GetAsync(node, "/v1/jobs/nothing")).Text("code"));
        Answer later = await PostAsync(node, "/v1/jobs/bulk", "{}");
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_request"), (later.Status, later.Text("code")));
    }

    private Task<Answer> GetAsync(int node, string path) => SendAsync(node, HttpMethod.Get, path);

    private Task<Answer> PostAsync(int node, string path, string body, string? key = null) => SendAsync(node, HttpMethod.Post, path, body, key);

    private async Task<Answer> SendAsync(int node, HttpMethod method, string path, string? body = null, string? key = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(cluster.Http(node), path));
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        if (key is not null) request.Headers.Add("Idempotency-Key", key);
        using HttpResponseMessage reply = await Client.SendAsync(request);
        HttpResponseHeaders headers = reply.Headers;
        string index = headers.TryGetValues("RaftQueue-Index", out IEnumerable<string>? values) ? values.Single() : "0:0";
        return new Answer(
            reply.StatusCode,
            JsonDocument.Parse(await reply.Content.ReadAsStringAsync()).RootElement,
            long.Parse(index.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture),
            headers.Location?.ToString(),
            headers.Contains("Idempotency-Replayed"));
    }

    private sealed record Answer(HttpStatusCode Status, JsonElement Body, long Index, string? Location, bool IsReplay)
    {
        public string Text(string field) => Body.GetProperty(field).GetString()!;

        public JsonElement Result(int index) => Body.GetProperty("results")[index];
    }
}
