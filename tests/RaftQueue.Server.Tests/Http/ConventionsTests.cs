using System.Text.Json;
using RaftQueue.Server.Tests.Support;

namespace RaftQueue.Server.Tests.Http;

/// <summary>What holds for all addresses.</summary>
public sealed class ConventionsTests(TestNode node) : IClassFixture<TestNode>
{
    [Fact]
    public async Task AProblemHasAllItsMembers()
    {
        Reply reply = await node.Http.PostAsync("/v1/queues/q/jobs", """{"priority":"high"}""");
        Assert.Equal((400, "application/problem+json"), (reply.Status, reply.Message.Content.Headers.ContentType!.MediaType));
        Assert.Equal(["type", "title", "status", "detail", "code", "errors"], reply.Json.AsObject().Select(member => member.Key));
        Assert.Equal(400, reply.Json["status"]!.GetValue<int>());
        Assert.Equal("/priority", reply.Json["errors"]![0]!["pointer"]!.GetValue<string>());
        Assert.NotNull(reply.Json["errors"]![0]!["detail"]);
    }

    [Theory]
    [InlineData("GET", "/")]
    [InlineData("GET", "/v1")]
    [InlineData("GET", "/v1/nothing")]
    [InlineData("POST", "/v1/queues/a/b/c")]
    [InlineData("GET", "/v2/queues")]
    public async Task AnUnknownAddressIsNotFound(string method, string path)
    {
        Reply reply = await node.Http.SendAsync(new HttpMethod(method), path, null, null);
        Assert.Equal((404, "not_found"), (reply.Status, reply.Code));
    }

    [Theory]
    [InlineData("GET", "/v1/leases", "POST")]
    [InlineData("PUT", "/v1/jobs/x", "GET")]
    [InlineData("POST", "/v1/queues", "GET")]
    [InlineData("GET", "/v1/queues/q/jobs", "POST")]
    [InlineData("DELETE", "/v1/cluster", "GET")]
    public async Task AWrongMethodSaysWhichAreRight(string method, string path, string allowed)
    {
        Reply reply = await node.Http.SendAsync(new HttpMethod(method), path, null, null);
        Assert.Equal((405, "method_not_allowed"), (reply.Status, reply.Code));
        Assert.Contains(allowed, reply.Message.Content.Headers.Allow);
    }

    [Theory]
    [InlineData("/healthz/live")]
    [InlineData("/healthz/ready")]
    [InlineData("/v1/cluster")]
    [InlineData("/v1/queues")]
    [InlineData("/v1/queues/none")]
    [InlineData("/v1/jobs/none")]
    [InlineData("/v1/jobs")]
    [InlineData("/openapi/v1.json")]
    public async Task HeadIsGetWithoutTheBody(string path)
    {
        Reply got = await node.Http.GetReplyAsync(path);
        using RawConnection connection = await RawConnection.OpenAsync(node.Host.Address);
        await connection.SendAsync(Encoding.ASCII.GetBytes(
            $"HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
        string[] replies = (await connection.ReceiveAsync()).Split("\r\n\r\n");
        Assert.Equal(3, replies.Length);
        Assert.StartsWith($"HTTP/1.1 {got.Status} ", replies[0], StringComparison.Ordinal);
        Assert.Contains($"Content-Type: {got.Message.Content.Headers.ContentType}", replies[0], StringComparison.Ordinal);
        Assert.Matches("Content-Length: [1-9]", replies[0]);
        Assert.StartsWith("HTTP/1.1 200 ", replies[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("POST", "/v1/queues/q/pause")]
    [InlineData("DELETE", "/v1/queues/q")]
    [InlineData("GET", "/v1/jobs")]
    [InlineData("POST", "/v1/jobs/x/retry")]
    [InlineData("PATCH", "/v1/jobs/x")]
    [InlineData("GET", "/v1/schedules")]
    [InlineData("GET", "/v1/events")]
    [InlineData("POST", "/v1/cluster/members")]
    [InlineData("GET", "/v1/cluster/backup")]
    [InlineData("POST", "/v1/tokens")]
    public async Task WhatComesLaterSaysSo(string method, string path)
    {
        Reply reply = await node.Http.SendAsync(new HttpMethod(method), path, null, null);
        Assert.Equal((400, "invalid_request"), (reply.Status, reply.Code));
        Assert.Contains("not available yet", reply.Json["detail"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/json; charset=utf-16")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/problem+json")]
    [InlineData(null)]
    public async Task AnotherTypeOfBodyIsRefused(string? type)
    {
        foreach (string path in new[] { "/v1/queues/q/jobs", "/v1/leases", "/v1/leases/ack" })
        {
            Reply reply = await node.Http.SendAsync(HttpMethod.Post, path, "{}"u8.ToArray(), type);
            Assert.Equal((415, "unsupported_media_type"), (reply.Status, reply.Code));
        }

        Assert.Equal(415, (await node.Http.SendAsync(HttpMethod.Put, "/v1/queues/q", [0x80], "application/msgpack")).Status);
    }

    [Fact]
    public async Task ACompressedBodyIsRefused()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/queues/q/jobs") { Content = new StringContent("{}", Encoding.UTF8, "application/json") };
        request.Content.Headers.ContentEncoding.Add("gzip");
        using HttpResponseMessage reply = await node.Http.SendAsync(request);
        Assert.Equal(415, (int)reply.StatusCode);
    }

    [Theory]
    [InlineData("application/json; charset=UTF-8")]
    [InlineData("application/json;charset=\"utf-8\"")]
    [InlineData("APPLICATION/JSON")]
    public async Task JsonMayBeSaidInSeveralWays(string type) =>
        Assert.Equal(201, (await node.Http.SendAsync(HttpMethod.Post, "/v1/queues/types/jobs", "{}"u8.ToArray(), type)).Status);

    [Fact]
    public async Task AMissingBodyIsRefused()
    {
        foreach (string path in new[] { "/v1/queues/q/jobs", "/v1/leases", "/v1/leases/nack" })
        {
            Reply reply = await node.Http.SendAsync(HttpMethod.Post, path, null, null);
            Assert.Equal((400, "invalid_request"), (reply.Status, reply.Code));
        }
    }

    [Theory]
    [InlineData("http://evil.example")]
    [InlineData("null")]
    [InlineData("https://127.0.0.1.evil.example")]
    [InlineData("http://127.0.0.1:1")]
    public async Task AForeignOriginIsForbidden(string origin)
    {
        Reply reply = await node.Http.PostAsync("/v1/queues/q/jobs", "{}", ("Origin", origin));
        Assert.Equal((403, "forbidden"), (reply.Status, reply.Code));
        Assert.Equal(403, (await node.Http.SendAsync(HttpMethod.Get, "/v1/queues", null, null, ("Origin", origin))).Status);
    }

    [Fact]
    public async Task TheOwnOriginIsServed()
    {
        string origin = node.Host.Address.GetLeftPart(UriPartial.Authority);
        Assert.Equal(201, (await node.Http.PostAsync("/v1/queues/origin/jobs", "{}", ("Origin", origin))).Status);
    }

    [Fact]
    public async Task AnIdempotencyKeyGivesTheFirstOutcome()
    {
        Reply first = await node.Http.PostAsync("/v1/queues/idem/jobs", """{"payload":1}""", ("Idempotency-Key", "k 1"));
        Reply again = await node.Http.PostAsync("/v1/queues/idem/jobs", """{"payload":1}""", ("Idempotency-Key", "k 1"));
        Assert.Equal((201, 201), (first.Status, again.Status));
        Assert.Null(first.Header("Idempotency-Replayed"));
        Assert.Equal("true", again.Header("Idempotency-Replayed"));
        Assert.Equal(first.Json["id"]!.GetValue<string>(), again.Json["id"]!.GetValue<string>());
        Assert.Equal(first.Header("RaftQueue-Index"), again.Header("RaftQueue-Index"));
        Reply other = await node.Http.PostAsync("/v1/queues/idem/jobs", """{"payload":2}""", ("Idempotency-Key", "k 1"));
        Assert.Equal((409, "idempotency_conflict"), (other.Status, other.Code));
        Reply elsewhere = await node.Http.PostAsync("/v1/queues/idem2/jobs", """{"payload":2}""", ("Idempotency-Key", "k 1"));
        Assert.Equal(201, elsewhere.Status);
        Assert.Equal(1, (await node.Http.GetReplyAsync("/v1/queues/idem")).Json["enqueuedTotal"]!.GetValue<int>());
    }

    [Fact]
    public async Task AKeyedLeaseGivesTheSameLeases()
    {
        await node.Http.PostAsync("/v1/queues/idlease/jobs", """{"jobs":[{},{}]}""");
        Reply first = await node.Http.PostAsync("/v1/leases", """{"queues":["idlease"]}""", ("Idempotency-Key", "l"));
        Reply again = await node.Http.PostAsync("/v1/leases", """{"queues":["idlease"]}""", ("Idempotency-Key", "l"));
        Assert.Equal(
            first.Json["jobs"]![0]!["lease"]!["token"]!.GetValue<string>(), again.Json["jobs"]![0]!["lease"]!["token"]!.GetValue<string>());
        Assert.Equal("true", again.Header("Idempotency-Replayed"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\tb")]
    public async Task ABadIdempotencyKeyIsRefused(string key)
    {
        Assert.Equal(400, (await node.Http.PostAsync("/v1/queues/q/jobs", "{}", ("Idempotency-Key", key))).Status);
        Assert.Equal(400, (await node.Http.PostAsync("/v1/queues/q/jobs", "{}", ("Idempotency-Key", new string('k', 129)))).Status);
    }

    [Fact]
    public async Task ABodyTooLargeIsRefusedByItsLengthAndWhileItComes()
    {
        byte[] large = new byte[(8 << 20) + 1];
        Array.Fill(large, (byte)' ');
        Reply told = await node.Http.SendAsync(HttpMethod.Post, "/v1/queues/q/jobs", large, "application/json");
        Assert.Equal((413, "payload_too_large"), (told.Status, told.Code));
        string head = "POST /v1/queues/q/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
        byte[] chunk = [.. "100000\r\n"u8, .. new byte[1 << 20], .. "\r\n"u8];
        using RawConnection connection = await RawConnection.OpenAsync(node.Host.Address);
        await connection.SendAsync(Encoding.ASCII.GetBytes(head));
        for (int i = 0; i < 9; i++) await connection.SendAsync(chunk);
        Assert.StartsWith("HTTP/1.1 413", await connection.ReceiveAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AClientThatSendsABodyTooLargeBeforeItListensHearsTheAnswer(bool chunked)
    {
        byte[] large = new byte[20 << 20];
        string length = chunked ? "Transfer-Encoding: chunked" : $"Content-Length: {large.Length}";
        string head = $"POST /v1/queues/q/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{length}\r\n\r\n";
        if (chunked) large = [.. Encoding.ASCII.GetBytes($"{large.Length:x}\r\n"), .. large, .. "\r\n0\r\n\r\n"u8];
        using RawConnection connection = await RawConnection.OpenAsync(node.Host.Address);
        await connection.SendAsync(Encoding.ASCII.GetBytes(head));
        await connection.SendAsync(large);
        await connection.SendAsync("GET /healthz/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"u8.ToArray());
        string replies = await connection.ReceiveAsync();
        Assert.StartsWith("HTTP/1.1 413", replies, StringComparison.Ordinal);
        Assert.Contains("payload_too_large", replies, StringComparison.Ordinal);
        Assert.Contains("HTTP/1.1 200", replies, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AClientThatListensHearsAtOnceThatItsBodyIsTooLarge()
    {
        using RawConnection connection = await RawConnection.OpenAsync(node.Host.Address);
        await connection.SendAsync("POST /v1/queues/q/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 20000000\r\n\r\n{"u8.ToArray());
        string reply = await connection.ReceiveAsync();
        Assert.StartsWith("HTTP/1.1 413", reply, StringComparison.Ordinal);
        Assert.Equal(1, reply.Split("HTTP/1.1").Length - 1);
    }

    [Theory]
    [InlineData("POST /v1/leases HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\n{}")]
    [InlineData("POST /v1/leases HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}")]
    public async Task ABodyThatEndsEarlyChangesNothing(string request)
    {
        using RawConnection connection = await RawConnection.OpenAsync(node.Host.Address);
        await connection.SendAsync(Encoding.ASCII.GetBytes(request));
        connection.EndSending();
        Assert.DoesNotContain("HTTP/1.1 20", await connection.ReceiveAsync(), StringComparison.Ordinal);
        Assert.Equal(200, (await node.Http.GetReplyAsync("/healthz/live")).Status);
    }

    [Fact]
    public async Task RepliesNameNoServer()
    {
        Reply reply = await node.Http.GetReplyAsync("/healthz/ready");
        Assert.Equal(200, reply.Status);
        Assert.Null(reply.Header("Server"));
    }

    [Fact]
    public async Task TheInterfaceIsDescribed()
    {
        Reply reply = await node.Http.GetReplyAsync("/openapi/v1.json");
        Assert.Equal((200, "application/json"), (reply.Status, reply.Message.Content.Headers.ContentType!.MediaType));
        JsonElement paths = JsonDocument.Parse(reply.Body).RootElement.GetProperty("paths");
        foreach (string path in new[]
        {
            "/v1/queues/{queue}/jobs", "/v1/leases", "/v1/leases/ack", "/v1/leases/nack", "/v1/leases/extend", "/v1/leases/release",
            "/v1/leases/reschedule", "/v1/jobs/{id}", "/v1/queues", "/v1/queues/{queue}", "/v1/cluster", "/healthz/live", "/healthz/ready",
            "/openapi/v1.json",
        }) Assert.True(paths.TryGetProperty(path, out _), path);
    }
}
