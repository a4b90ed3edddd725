using System.Globalization;
using System.Text.Json.Nodes;
using RaftQueue.Server.Tests.Support;

namespace RaftQueue.Server.Tests.Http;

/// <summary>Enqueue, look and cancel, as the interface is described.</summary>
public sealed class JobsTests(TestNode node) : IClassFixture<TestNode>
{
    private const string NoSuchId = "00000000000000000000000000";

    [Fact]
    public async Task OneJobIsAnsweredWithoutPayloadTagsAndHeaders()
    {
        Reply reply = await node.Http.PostAsync(
            "/v1/queues/one/jobs", """{"payload":{"a":1},"type":"mail","priority":3,"tags":["x"],"headers":{"h":"v"}}""");
        Assert.Equal(201, reply.Status);
        Assert.Equal("application/json", reply.Message.Content.Headers.ContentType!.MediaType);
        string id = reply.Json["id"]!.GetValue<string>();
        Assert.Matches("^[A-Za-z0-9._~-]+$", id);
        Assert.Equal($"/v1/jobs/{id}", reply.Message.Headers.Location!.OriginalString);
        Assert.Matches("^0:[0-9]+$", reply.Header("RaftQueue-Index")!);
        JsonObject job = reply.Json.AsObject();
        Assert.Equal(("one", "mail", "ready", 3), (Text(job, "queue"), Text(job, "type"), Text(job, "state"), Number(job, "priority")));
        Assert.Equal((0, 25, 0), (Number(job, "attempt"), Number(job, "maxAttempts"), Number(job, "runs")));
        Assert.True(Number(job, "version") >= 0);
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", Text(job, "createdAt"));
        foreach (string absent in new[] { "payload", "tags", "headers", "reason", "startedAt", "finishedAt", "group", "uniqueKey", "result", "error", "lease", "duplicate" })
            Assert.False(job.ContainsKey(absent), absent);
        Assert.Empty(job["attempts"]!.AsArray());
    }

    [Theory]
    [InlineData("123456789012345678901234567890")]
    [InlineData("1.0")]
    [InlineData("-0.0e-0")]
    [InlineData("""{ "b" : 1, "a":2,"b" :3 }""")]
    [InlineData("\"\\u00e4\\/ \u2028😀\"")]
    [InlineData("[ ]")]
    [InlineData("null")]
    public async Task PayloadTextComesBackByteForByte(string text)
    {
        Reply put = await node.Http.PostAsync("/v1/queues/bytes/jobs", $"{{\"payload\":{text}}}");
        Reply got = await node.Http.GetReplyAsync($"/v1/jobs/{Text(put.Json, "id")}");
        Assert.Equal(200, got.Status);
        Assert.Contains($"\"payload\":{text},", got.Text, StringComparison.Ordinal);
        Reply leased = await node.Http.PostAsync("/v1/leases", """{"queues":["bytes"]}""");
        Assert.Contains($"\"payload\":{text},", leased.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BytesComeBackAsBase64WithTheirType()
    {
        Reply put = await node.Http.PostAsync("/v1/queues/b64/jobs", """{"payloadBase64":"AP+A","contentType":"image/png"}""");
        Reply got = await node.Http.GetReplyAsync($"/v1/jobs/{Text(put.Json, "id")}");
        Assert.Equal(("AP+A", "image/png"), (Text(got.Json, "payloadBase64"), Text(got.Json, "contentType")));
        Assert.False(got.Json.AsObject().ContainsKey("payload"));
    }

    [Fact]
    public async Task NoPayloadIsNull()
    {
        Reply put = await node.Http.PostAsync("/v1/queues/none/jobs", "{}");
        Reply got = await node.Http.GetReplyAsync($"/v1/jobs/{Text(put.Json, "id")}");
        Assert.True(got.Json.AsObject().ContainsKey("payload"));
        Assert.Null(got.Json["payload"]);
        Assert.Empty(got.Json["tags"]!.AsArray());
        Assert.Empty(got.Json["headers"]!.AsObject());
    }

    [Fact]
    public async Task ABatchIsAnsweredInItsOrder()
    {
        Reply reply = await node.Http.PostAsync(
            "/v1/queues/batch/jobs", """{"jobs":[{"payload":1},{"delayMs":60000},{"unique":{"key":"k"}},{"unique":{"key":"k"}}]}""");
        Assert.True(reply.Status == 201, reply.Text);
        JsonArray jobs = reply.Json["jobs"]!.AsArray();
        Assert.Equal(["ready", "scheduled", "ready", "ready"], jobs.Select(job => Text(job!, "state")));
        Assert.True(jobs[3]!["duplicate"]!.GetValue<bool>());
        Assert.Equal(Text(jobs[2]!, "id"), Text(jobs[3]!, "id"));
        Assert.False(jobs[2]!.AsObject().ContainsKey("duplicate"));
        Assert.Equal(200, (await node.Http.PostAsync("/v1/queues/batch/jobs", """{"jobs":[{"unique":{"key":"k"}}]}""")).Status);
    }

    [Fact]
    public async Task WhatRefusesOneJobRefusesTheBatch()
    {
        await node.Http.PostAsync("/v1/queues/refuse/jobs", """{"unique":{"key":"k"}}""");
        Reply reply = await node.Http.PostAsync(
            "/v1/queues/refuse/jobs", """{"jobs":[{},{"unique":{"key":"k","onConflict":"reject"}},{"unique":{"key":"k","onConflict":"reject"}}]}""");
        Assert.Equal((409, "unique_conflict"), (reply.Status, reply.Code));
        Assert.Equal(["/jobs/1/unique", "/jobs/2/unique"], reply.Pointers);
        Assert.NotNull(reply.Header("RaftQueue-Index"));
        Reply queue = await node.Http.GetReplyAsync("/v1/queues/refuse");
        Assert.Equal(1, Number(queue.Json, "enqueuedTotal"));
        Reply bad = await node.Http.PostAsync("/v1/queues/refuse/jobs", """{"jobs":[{},{"priority":99},{"delayMs":-1}]}""");
        Assert.Equal(["/jobs/1/priority", "/jobs/2/delayMs"], bad.Pointers);
    }

    [Fact]
    public async Task AUniqueKeyReturnsRejectsOrReplaces()
    {
        Reply first = await node.Http.PostAsync("/v1/queues/unique/jobs", """{"payload":1,"unique":{"key":"k"}}""");
        string id = Text(first.Json, "id");
        Assert.Equal("k", Text(first.Json, "uniqueKey"));
        Reply again = await node.Http.PostAsync("/v1/queues/unique/jobs", """{"payload":2,"unique":{"key":"k"}}""");
        Assert.Equal((200, id, true), (again.Status, Text(again.Json, "id"), again.Json["duplicate"]!.GetValue<bool>()));
        Assert.False(again.Json.AsObject().ContainsKey("replaced"));
        Reply rejected = await node.Http.PostAsync("/v1/queues/unique/jobs", """{"unique":{"key":"k","onConflict":"reject"}}""");
        Assert.Equal((409, "unique_conflict", id), (rejected.Status, rejected.Code, Text(rejected.Json, "jobId")));
        Reply replaced = await node.Http.PostAsync("/v1/queues/unique/jobs", """{"payload":3,"unique":{"key":"k","onConflict":"replace"}}""");
        Assert.Equal((200, true), (replaced.Status, replaced.Json["replaced"]!.GetValue<bool>()));
        Assert.Equal(3, (await node.Http.GetReplyAsync($"/v1/jobs/{id}")).Json["payload"]!.GetValue<int>());
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("a%2Fb")]
    [InlineData("%C3%A4")]
    [InlineData("x*")]
    public async Task ABadQueueNameIsRefused(string name)
    {
        Reply reply = await node.Http.PostAsync($"/v1/queues/{name}/jobs", "{}");
        Assert.Equal((400, "invalid_request"), (reply.Status, reply.Code));
        Reply tooLong = await node.Http.PostAsync($"/v1/queues/{new string('a', 129)}/jobs", "{}");
        Assert.Equal(400, tooLong.Status);
        Assert.Equal(201, (await node.Http.PostAsync($"/v1/queues/{new string('a', 128)}/jobs", "{}")).Status);
    }

    [Theory]
    [InlineData("nonsense", false)]
    [InlineData(NoSuchId, true)]
    [InlineData("zzzzzzzzzzzzzzzzzzzzzzzzzz", false)]
    public async Task AnUnknownOrMalformedIdIsNotFound(string id, bool decided)
    {
        foreach (HttpMethod method in new[] { HttpMethod.Get, HttpMethod.Delete })
        {
            Reply reply = await node.Http.SendAsync(method, $"/v1/jobs/{id}", null, null);
            Assert.Equal((404, "job_not_found"), (reply.Status, reply.Code));
            if (decided) Assert.NotNull(reply.Header("RaftQueue-Index"));
        }
    }

    [Fact]
    public async Task StaleReadsAreServed()
    {
        Reply put = await node.Http.PostAsync("/v1/queues/stale/jobs", "{}");
        Reply got = await node.Http.GetReplyAsync($"/v1/jobs/{Text(put.Json, "id")}?consistency=stale");
        Assert.Equal(200, got.Status);
        Assert.Equal(400, (await node.Http.GetReplyAsync($"/v1/jobs/{Text(put.Json, "id")}?consistency=old")).Status);
        Assert.Equal(400, (await node.Http.GetReplyAsync($"/v1/jobs/{Text(put.Json, "id")}?waitMs=60001")).Status);
        Assert.Equal(400, (await node.Http.GetReplyAsync($"/v1/jobs/{Text(put.Json, "id")}?wait=1")).Status);
    }

    [Fact]
    public async Task AReadWaitsUntilTheJobIsFinished()
    {
        Reply put = await node.Http.PostAsync("/v1/queues/held/jobs", "{}");
        string id = Text(put.Json, "id");
        Reply unfinished = await node.Http.GetReplyAsync($"/v1/jobs/{id}?waitMs=50");
        Assert.Equal((200, "ready"), (unfinished.Status, Text(unfinished.Json, "state")));
        Task<Reply> held = node.Http.GetReplyAsync($"/v1/jobs/{id}?waitMs=30000");
        Reply cancelled = await node.Http.SendAsync(HttpMethod.Delete, $"/v1/jobs/{id}", null, null);
        Assert.Equal((200, "cancelled"), (cancelled.Status, Text(cancelled.Json, "state")));
        Assert.Equal("cancelled", Text((await held).Json, "state"));
        Assert.Equal(200, (await node.Http.SendAsync(HttpMethod.Delete, $"/v1/jobs/{id}", null, null)).Status);
    }

    [Fact]
    public async Task CancelKeepsToTheVersion()
    {
        Reply put = await node.Http.PostAsync("/v1/queues/version/jobs", "{}");
        string path = $"/v1/jobs/{Text(put.Json, "id")}";
        long version = Number(put.Json, "version");
        Reply other = await node.Http.SendAsync(HttpMethod.Delete, path, null, null, ("If-Match", (version + 1).ToString(CultureInfo.InvariantCulture)));
        Assert.Equal((412, "version_mismatch"), (other.Status, other.Code));
        Assert.Equal(400, (await node.Http.SendAsync(HttpMethod.Delete, path, null, null, ("If-Match", "abc"))).Status);
        Reply same = await node.Http.SendAsync(HttpMethod.Delete, path, null, null, ("If-Match", $"\"{version}\""));
        Assert.Equal(200, same.Status);
    }

    [Fact]
    public async Task ALeasedJobIsAskedToStop()
    {
        await node.Http.PostAsync("/v1/queues/ask/jobs", "{}");
        Reply leased = await node.Http.PostAsync("/v1/leases", """{"queues":["ask"],"worker":"w"}""");
        JsonNode job = leased.Json["jobs"]![0]!;
        Reply cancel = await node.Http.SendAsync(HttpMethod.Delete, $"/v1/jobs/{Text(job, "id")}", null, null);
        Assert.Equal((200, "leased", true), (cancel.Status, Text(cancel.Json, "state"), cancel.Json["cancelRequested"]!.GetValue<bool>()));
        Assert.Equal("w", Text(cancel.Json["lease"]!, "worker"));
        Assert.False(cancel.Json["lease"]!.AsObject().ContainsKey("token"));
        string token = Text(job["lease"]!, "token");
        Reply extended = await node.Http.PostAsync("/v1/leases/extend", $$"""{"extends":[{"token":"{{token}}","leaseMs":60000}]}""");
        Assert.True(extended.Json["results"]![0]!["cancelRequested"]!.GetValue<bool>());
        await node.Http.PostAsync("/v1/leases/ack", $$"""{"acks":[{"token":"{{token}}"}]}""");
        Reply late = await node.Http.SendAsync(HttpMethod.Delete, $"/v1/jobs/{Text(job, "id")}", null, null);
        Assert.Equal((409, "wrong_state"), (late.Status, late.Code));
    }

    private static string Text(JsonNode node, string name) => node[name]!.GetValue<string>();

    private static long Number(JsonNode node, string name) => node[name]!.GetValue<long>();
}
