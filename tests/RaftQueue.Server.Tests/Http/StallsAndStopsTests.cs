using System.Text.Json.Nodes;
using RaftQueue.Server.Tests.Support;

namespace RaftQueue.Server.Tests.Http;

/// <summary>Clients that stall, bodies beyond the budget, and the end of a node.</summary>
public sealed class StallsAndStopsTests
{
    [Fact]
    public async Task HalfABodyThatStallsIsGivenUp()
    {
        var node = new TestNode(new Dictionary<string, string?> { ["RaftQueue:HttpLimits:BodyGraceMs"] = "1100" });
        await node.InitializeAsync();
        using RawConnection connection = await RawConnection.OpenAsync(node.Host.Address);
        await connection.SendAsync(
            Encoding.ASCII.GetBytes("POST /v1/queues/q/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"payload\":"));
        string reply = await connection.ReceiveAsync();
        Assert.StartsWith("HTTP/1.1 400", reply, StringComparison.Ordinal);
        Assert.Contains("\"code\":\"invalid_request\"", reply, StringComparison.Ordinal);
        Assert.Equal(404, (await node.Http.GetReplyAsync("/v1/queues/q")).Status);
        await node.DisposeAsync();
    }

    [Fact]
    public async Task AHeadThatStallsIsGivenUp()
    {
        var node = new TestNode(new Dictionary<string, string?> { ["RaftQueue:HttpLimits:HeadersTimeoutMs"] = "1100" });
        await node.InitializeAsync();
        using RawConnection connection = await RawConnection.OpenAsync(node.Host.Address);
        await connection.SendAsync("GET /v1/queues HTTP/1.1\r\nHost: x\r\nAcc"u8.ToArray());
        Assert.StartsWith("HTTP/1.1 408", await connection.ReceiveAsync(), StringComparison.Ordinal);
        await node.DisposeAsync();
    }

    [Fact]
    public async Task ConnectionsBeyondTheLimitAreClosedAndTheOthersServed()
    {
        const int most = 5;
        byte[] request = "GET /healthz/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"u8.ToArray();
        var node = new TestNode(new Dictionary<string, string?> { ["RaftQueue:HttpLimits:MaxConnections"] = $"{most}" });
        await node.InitializeAsync();
        var held = new List<RawConnection>();
        for (int i = 0; i < most - 1; i++) held.Add(await RawConnection.OpenAsync(node.Host.Address));
        using (RawConnection refused = await RawConnection.OpenAsync(node.Host.Address))
        {
            // The client that asked whether the node is ready holds a connection as well.
            await refused.SendAsync(request);
            Assert.Equal("", await refused.ReceiveAsync());
        }

        foreach (RawConnection connection in held)
        {
            await connection.SendAsync(request);
            Assert.StartsWith("HTTP/1.1 200", await connection.ReceiveAsync(), StringComparison.Ordinal);
            connection.Dispose();
        }

        Assert.Equal(200, (await node.Http.GetReplyAsync("/healthz/ready")).Status);
        await node.DisposeAsync();
    }

    [Theory]
    [InlineData("Content-Length: 2000000\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n1e8480\r\n")]
    public async Task AMillionBytesBuyNoTimeForSilence(string head)
    {
        var node = new TestNode(new Dictionary<string, string?> { ["RaftQueue:HttpLimits:BodySilenceMs"] = "500" });
        await node.InitializeAsync();
        using RawConnection connection = await RawConnection.OpenAsync(node.Host.Address);
        await connection.SendAsync(
            Encoding.ASCII.GetBytes($"POST /v1/queues/q/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{head}{{\"payload\":\"{new string('x', 1_000_000)}"));
        string reply = await connection.ReceiveAsync();
        Assert.StartsWith("HTTP/1.1 400", reply, StringComparison.Ordinal);
        Assert.Contains("\"code\":\"invalid_request\"", reply, StringComparison.Ordinal);
        await node.DisposeAsync();
    }

    [Fact]
    public async Task AStopAnswersWhatWaits()
    {
        var node = new TestNode();
        await node.InitializeAsync();
        Reply put = await node.Http.PostAsync("/v1/queues/other/jobs", "{}");
        Task<Reply> lease = node.Http.PostAsync("/v1/leases", """{"queues":["empty"],"waitMs":60000}""");
        Task<Reply> job = node.Http.GetReplyAsync($"/v1/jobs/{put.Json["id"]!.GetValue<string>()}?waitMs=60000&consistency=stale");
        Task<Reply> keyed = node.Http.PostAsync("/v1/leases", """{"queues":["empty"],"waitMs":60000}""", ("Idempotency-Key", "k"));
        while (node.Host.RequestsUnderWay < 3) await Task.Delay(10);
        Task stopped = node.Host.StopAsync("test");
        Reply answered = await lease;
        Assert.Equal((200, "{\"jobs\":[]}"), (answered.Status, answered.Text));
        Assert.True((await keyed).Status is 200 or 503, (await keyed).Text);
        Reply held = await job;
        Assert.True(held.Status is 200 or 503, held.Text);
        await stopped;
        await node.DisposeAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AStoppingNodeTakesBackOnlyWhatNobodyElseCanBeTold(bool keyed)
    {
        const string body = """{"queues":["work"],"leaseMs":60000}""";
        (string, string)[] key = keyed ? [("Idempotency-Key", "k")] : [];
        var node = new TestNode();
        await node.InitializeAsync();
        await node.Http.PostAsync("/v1/queues/work/jobs", "{}");
        Reply first = await node.Http.PostAsync("/v1/leases", body, ("Idempotency-Key", "k"));
        string token = first.Json["jobs"]![0]!["lease"]!["token"]!.GetValue<string>();
        await node.Http.PostAsync("/v1/queues/work/jobs", "{}");
        node.Host.Server.BeginStop();
        Reply lease = await node.Http.PostAsync("/v1/leases", body, key);

        // A repeat is told the leases of the first; whoever comes anew gets nothing any more.
        Assert.Equal(200, lease.Status);
        IEnumerable<string> tokens = lease.Json["jobs"]!.AsArray().Select(job => job!["lease"]!["token"]!.GetValue<string>());
        Assert.Equal(keyed ? [token] : [], tokens);
        Reply acked = await node.Http.PostAsync("/v1/leases/ack", $$"""{"acks":[{"token":"{{token}}"}]}""");
        Assert.Equal("ok", acked.Json["results"]![0]!["status"]!.GetValue<string>());
        Reply counts = await node.Http.GetReplyAsync("/v1/queues/work");
        Assert.Equal((1, 0), (counts.Json["counts"]!["ready"]!.GetValue<int>(), counts.Json["counts"]!["leased"]!.GetValue<int>()));
        await node.DisposeAsync();
    }

    [Fact]
    public async Task WhatWasAcknowledgedIsThereAfterARestart()
    {
        string directory = Path.Combine(Path.GetTempPath(), $"raftqueue-{Guid.NewGuid():N}");
        var settings = new Dictionary<string, string?> { ["RaftQueue:DataDirectory"] = directory };
        try
        {
            var node = new TestNode(settings);
            await node.InitializeAsync();
            Reply put = await node.Http.PostAsync("/v1/queues/again/jobs", """{"payload": [ 1 ]}""");
            await node.Host.StopAsync("restart");
            var again = new TestNode(new Dictionary<string, string?>(settings)
            {
                ["RaftQueue:Peer"] = node.Peer,
                ["RaftQueue:Members:0:Peer"] = node.Peer,
            });
            await again.InitializeAsync();
            Reply got = await again.Http.GetReplyAsync($"/v1/jobs/{put.Json["id"]!.GetValue<string>()}");
            Assert.Contains("\"payload\":[ 1 ]", got.Text, StringComparison.Ordinal);
            JsonNode cluster = (await again.Http.GetReplyAsync("/v1/cluster")).Json;
            Assert.Equal(1, cluster["shards"]![0]!["leader"]!.GetValue<int>());
            await again.DisposeAsync();
            await node.DisposeAsync();
        }
        finally
        {
            if (Directory.Exists(directory)) Directory.Delete(directory, recursive: true);
        }
    }
}
