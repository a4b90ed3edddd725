using System.Text.Json.Nodes;
using RaftQueue.Server.Tests.Support;

namespace RaftQueue.Server.Tests.Http;

/// <summary>Leases and what workers do with them, as the interface is described.</summary>
public sealed class LeasesTests(TestNode node) : IClassFixture<TestNode>
{
    [Fact]
    public async Task AGrantHasTokenFenceAndTime()
    {
        await PutAsync("grant", """{"jobs":[{"payload":1},{"payload":2,"priority":5},{"payload":3}]}""");
        Reply reply = await LeaseAsync("""{"queues":["grant"],"maxJobs":10,"leaseMs":60000,"worker":"host-1"}""");
        Assert.Equal(200, reply.Status);
        Assert.Matches("^0:[0-9]+$", reply.Header("RaftQueue-Index")!);
        JsonArray jobs = reply.Json["jobs"]!.AsArray();
        Assert.Equal([2, 1, 3], jobs.Select(job => job!["payload"]!.GetValue<int>()));
        JsonObject lease = jobs[0]!["lease"]!.AsObject();
        Assert.Equal(["token", "fence", "expiresAt", "remainingMs"], lease.Select(member => member.Key));
        Assert.Matches("^[A-Za-z0-9._~-]+$", lease["token"]!.GetValue<string>());
        Assert.InRange(lease["remainingMs"]!.GetValue<long>(), 59_000, 60_000);
        Assert.True(jobs[1]!["lease"]!["fence"]!.GetValue<ulong>() > lease["fence"]!.GetValue<ulong>());
        Assert.Equal(("leased", 1), (jobs[0]!["state"]!.GetValue<string>(), jobs[0]!["attempt"]!.GetValue<int>()));
        Reply look = await node.Http.GetReplyAsync($"/v1/jobs/{jobs[0]!["id"]!.GetValue<string>()}");
        Assert.Equal("host-1", look.Json["lease"]!["worker"]!.GetValue<string>());
        Assert.Equal("host-1", look.Json["attempts"]![0]!["worker"]!.GetValue<string>());
    }

    [Fact]
    public async Task NothingIsAnEmptyListAndCreatesNothing()
    {
        Reply reply = await LeaseAsync("""{"queues":["nowhere"],"waitMs":20}""");
        Assert.Equal((200, "{\"jobs\":[]}"), (reply.Status, reply.Text));
        Assert.Equal(404, (await node.Http.GetReplyAsync("/v1/queues/nowhere")).Status);
    }

    [Fact]
    public async Task AWaitingRequestGetsTheJobThatComes()
    {
        Task<Reply> waiting = LeaseAsync("""{"queues":["come"],"waitMs":30000}""");
        await PutAsync("come", """{"payload":"here"}""");
        Assert.Equal("here", (await waiting).Json["jobs"]![0]!["payload"]!.GetValue<string>());
    }

    [Fact]
    public async Task AClientThatLeavesDoesNotTakeTheJobAlong()
    {
        using (var leave = new CancellationTokenSource())
        {
            using var body = new StringContent("""{"queues":["leave"],"waitMs":60000,"leaseMs":3600000}""", Encoding.UTF8, "application/json");
            Task<HttpResponseMessage> waiting = node.Http.PostAsync(new Uri("/v1/leases", UriKind.Relative), body, leave.Token);
            while (node.Host.RequestsUnderWay < 1) await Task.Delay(10);
            await leave.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        }

        await PutAsync("leave", """{"payload":1}""");
        Reply reply = await LeaseAsync("""{"queues":["leave"],"waitMs":10000}""");
        Assert.Single(reply.Json["jobs"]!.AsArray());
    }

    [Fact]
    public async Task QueuesAreAskedInOrder()
    {
        await PutAsync("order-b", """{"payload":"b"}""");
        await PutAsync("order-a", """{"payload":"a"}""");
        Reply reply = await LeaseAsync("""{"queues":["order-a","order-b"],"maxJobs":5}""");
        Assert.Equal(["a", "b"], reply.Json["jobs"]!.AsArray().Select(job => job!["payload"]!.GetValue<string>()));
    }

    [Fact]
    public async Task PullAheadTakesWhatIsScheduled()
    {
        await PutAsync("ahead", """{"delayMs":60000}""");
        Assert.Empty((await LeaseAsync("""{"queues":["ahead"]}""")).Json["jobs"]!.AsArray());
        Assert.Single((await LeaseAsync("""{"queues":["ahead"],"pullAheadMs":120000}""")).Json["jobs"]!.AsArray());
    }

    [Fact]
    public async Task EveryVerbAnswersInOrder()
    {
        await PutAsync("verbs", $"{{\"jobs\":[{string.Join(',', Enumerable.Repeat("{\"payload\":0}", 6))}]}}");
        Reply leased = await LeaseAsync("""{"queues":["verbs"],"maxJobs":6}""");
        List<string> tokens = [.. leased.Json["jobs"]!.AsArray().Select(job => job!["lease"]!["token"]!.GetValue<string>())];
        List<string> ids = [.. leased.Json["jobs"]!.AsArray().Select(job => job!["id"]!.GetValue<string>())];
        string never = tokens[0].Split('.')[0] + ".v";

        Reply ack = await VerbAsync("ack", $$"""{"acks":[{"token":"{{tokens[0]}}","result":{"r" : 1.0} },{"token":"{{never}}"},{"token":"garbage"}]}""");
        Assert.Equal(["ok", "lease_lost", "lease_lost"], Statuses(ack));
        Assert.Equal(tokens[0], ack.Json["results"]![0]!["token"]!.GetValue<string>());
        Assert.NotNull(ack.Header("RaftQueue-Index"));
        Reply done = await node.Http.GetReplyAsync($"/v1/jobs/{ids[0]}");
        Assert.Contains("\"result\":{\"r\" : 1.0}", done.Text, StringComparison.Ordinal);
        Assert.Equal("succeeded", done.Json["state"]!.GetValue<string>());
        Assert.Equal("succeeded", done.Json["attempts"]![0]!["outcome"]!.GetValue<string>());
        Assert.NotNull(done.Json["finishedAt"]);

        Assert.Equal(["ok"], Statuses(await VerbAsync("ack", $$"""{"acks":[{"token":"{{tokens[0]}}"}]}""")));
        Assert.Equal(["lease_lost"], Statuses(await VerbAsync("nack", $$"""{"nacks":[{"token":"{{tokens[0]}}"}]}""")));

        string long4K = new('e', 5000);
        Reply nack = await VerbAsync(
            "nack", $$"""{"nacks":[{"token":"{{tokens[1]}}","error":"{{long4K}}","delayMs":60000},{"token":"{{tokens[2]}}","dead":true,"error":"no"}]}""");
        Assert.Equal(["ok", "ok"], Statuses(nack));
        Reply failed = await node.Http.GetReplyAsync($"/v1/jobs/{ids[1]}");
        Assert.Equal(("scheduled", 4096), (failed.Json["state"]!.GetValue<string>(), failed.Json["error"]!.GetValue<string>().Length));
        Assert.Equal("dead", (await node.Http.GetReplyAsync($"/v1/jobs/{ids[2]}")).Json["state"]!.GetValue<string>());

        Reply extend = await VerbAsync("extend", $$"""{"extends":[{"token":"{{tokens[3]}}","leaseMs":600000,"progress":{"done" : 5} },{"token":"{{never}}","leaseMs":1000}]}""");
        Assert.Equal(["ok", "lease_lost"], Statuses(extend));
        Assert.InRange(extend.Json["results"]![0]!["remainingMs"]!.GetValue<long>(), 599_000, 600_000);
        Assert.EndsWith("Z", extend.Json["results"]![0]!["expiresAt"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.False(extend.Json["results"]![1]!.AsObject().ContainsKey("expiresAt"));
        Assert.Contains("\"progress\":{\"done\" : 5}", (await node.Http.GetReplyAsync($"/v1/jobs/{ids[3]}")).Text, StringComparison.Ordinal);

        Assert.Equal(["ok"], Statuses(await VerbAsync("release", $$"""{"releases":[{"token":"{{tokens[4]}}"}]}""")));
        Reply released = await node.Http.GetReplyAsync($"/v1/jobs/{ids[4]}");
        Assert.Equal(("ready", 0), (released.Json["state"]!.GetValue<string>(), released.Json["attempt"]!.GetValue<int>()));

        Reply again = await VerbAsync(
            "reschedule", $$"""{"reschedules":[{"token":"{{tokens[5]}}","delayMs":60000,"payload":[ 2 ],"priority":4}]}""");
        Assert.Equal(["ok"], Statuses(again));
        Reply moved = await node.Http.GetReplyAsync($"/v1/jobs/{ids[5]}");
        Assert.Equal(("scheduled", 1, 0, 4), (
            moved.Json["state"]!.GetValue<string>(), moved.Json["runs"]!.GetValue<int>(), moved.Json["attempt"]!.GetValue<int>(), moved.Json["priority"]!.GetValue<int>()));
        Assert.Contains("\"payload\":[ 2 ]", moved.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AValueOutOfBoundsIsItsOwnTokensTrouble()
    {
        await PutAsync("bounds", """{"jobs":[{},{}]}""");
        Reply leased = await LeaseAsync("""{"queues":["bounds"],"maxJobs":2}""");
        List<string> tokens = [.. leased.Json["jobs"]!.AsArray().Select(job => job!["lease"]!["token"]!.GetValue<string>())];
        Reply reply = await VerbAsync("extend", $$"""{"extends":[{"token":"{{tokens[0]}}","leaseMs":1},{"token":"{{tokens[1]}}","leaseMs":1000}]}""");
        Assert.Equal(["invalid", "ok"], Statuses(reply));
        Assert.Equal("invalid_request", reply.Json["results"]![0]!["code"]!.GetValue<string>());
        Assert.NotEmpty(reply.Json["results"]![0]!["detail"]!.GetValue<string>());
    }

    [Fact]
    public async Task MessagePackIsSpokenBothWays()
    {
        byte[] put = Pack.Map(("jobs", Pack.Array(Pack.Map(("payload", Pack.Text("{ \"a\":1.0}"))), Pack.Map(("payloadBytes", Pack.Binary([0, 255]))))));
        Reply reply = await node.Http.SendAsync(HttpMethod.Post, "/v1/queues/pack/jobs", put, "application/msgpack");
        Assert.Equal((201, "application/msgpack"), (reply.Status, reply.Message.Content.Headers.ContentType!.MediaType));
        Reply leased = await node.Http.SendAsync(
            HttpMethod.Post, "/v1/leases", Pack.Map(("queues", Pack.Array(Pack.Text("pack"))), ("maxJobs", Pack.Integer(2))), "application/msgpack");
        object? read = Unpack.Read(leased.Body);
        var jobs = (List<object?>)((Dictionary<string, object?>)read!)["jobs"]!;
        var first = (Dictionary<string, object?>)jobs[0]!;
        var second = (Dictionary<string, object?>)jobs[1]!;
        Assert.Equal("{ \"a\":1.0}", first["payload"]);
        Assert.Equal(new byte[] { 0, 255 }, (byte[])second["payloadBytes"]!);
        string token = (string)((Dictionary<string, object?>)first["lease"]!)["token"]!;
        Reply acked = await node.Http.SendAsync(
            HttpMethod.Post, "/v1/leases/ack",
            Pack.Map(("acks", Pack.Array(Pack.Map(("token", Pack.Text(token)), ("result", Pack.Text("[ 1]")))))), "application/msgpack", ("Accept", "application/json"));
        Assert.Equal(["ok"], Statuses(acked));
        Reply got = await node.Http.GetReplyAsync($"/v1/jobs/{first["id"]}");
        Assert.Contains("\"result\":[ 1]", got.Text, StringComparison.Ordinal);
    }

    private Task<Reply> PutAsync(string queue, string json) => node.Http.PostAsync($"/v1/queues/{queue}/jobs", json);

    private Task<Reply> LeaseAsync(string json) => node.Http.PostAsync("/v1/leases", json);

    private Task<Reply> VerbAsync(string verb, string json) => node.Http.PostAsync($"/v1/leases/{verb}", json);

    private static IEnumerable<string> Statuses(Reply reply)
    {
        Assert.True(reply.Status == 200, reply.Text);
        return reply.Json["results"]!.AsArray().Select(result => result!["status"]!.GetValue<string>());
    }
}
