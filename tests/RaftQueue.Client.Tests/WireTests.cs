namespace RaftQueue.Client.Tests;

/// <summary>What travels is what the contract says.</summary>
public sealed class WireTests
{
    [Fact]
    public async Task EnqueueSaysOnlyWhatTheCallerSaid()
    {
        var servers = new FakeServers(_ => FakeServers.Json(201, """{"id":"a","state":"ready"}"""));
        using RaftQueueClient client = servers.Client();
        await client.EnqueueAsync("q", new NewJob());
        Assert.Equal("{}", servers.Requests.Single().Body);
    }

    [Fact]
    public async Task EnqueueWritesEveryField()
    {
        var servers = new FakeServers(_ => FakeServers.Json(201, """{"id":"a","state":"scheduled","duplicate":true,"replaced":true,"more":1}"""));
        using RaftQueueClient client = servers.Client();
        EnqueuedJob answer = await client.EnqueueAsync("mail.eu", new NewJob
        {
            Payload = JsonText.Parse(" { \"n\": 1.0, \"n\": 123456789012345678901234567890, \"t\": \"\\u00e4<ä\" } "),
            Type = "welcome",
            Priority = 3,
            Delay = TimeSpan.FromTicks(15_001),
            Unique = new UniqueOptions("k") { Until = UniqueUntil.Window, Window = TimeSpan.FromSeconds(1), OnConflict = UniqueConflict.Reject },
            MaxAttempts = 5,
            Retry = new RetryOptions { Backoff = Backoff.Linear, Base = TimeSpan.FromSeconds(2), Jitter = 0.25 },
            Keep = TimeSpan.FromDays(40_000),
            Tags = ["a", "b"],
            Headers = new Dictionary<string, string> { ["traceparent"] = "00" },
        });
        Assert.Equal(JobState.Scheduled, answer.State);
        Assert.True(answer.Duplicate && answer.Replaced);
        FakeRequest request = servers.Requests.Single();
        Assert.Equal("/v1/queues/mail.eu/jobs", request.Path);
        Assert.Equal(
            """
            {"payload":{ "n": 1.0, "n": 123456789012345678901234567890, "t": "\u00e4<ä" },"type":"welcome","priority":3,"delayMs":2,"unique":{"key":"k","until":"window","windowMs":1000,"onConflict":"reject"},"maxAttempts":5,"retry":{"backoff":"linear","baseMs":2000,"jitter":0.25},"keepMs":3456000000000,"tags":["a","b"],"headers":{"traceparent":"00"}}
            """,
            request.Body);
    }

    [Fact]
    public async Task LeaseReadsPayloadsAsTheyAre()
    {
        const string payload = """{"big":123456789012345678901234567890,"one":1.0,"twice":1,"twice":2,"text":"\u00e4ä"}""";
        var queue = new FakeQueue(payload, "null", "\"text\"");
        using RaftQueueClient client = queue.Servers.Client();
        IReadOnlyList<Job> jobs = await client.LeaseAsync(new LeaseRequest(["q"]) { MaxJobs = 10, Wait = TimeSpan.FromSeconds(1), Worker = "me" });
        Assert.Equal([payload, null, "\"text\""], jobs.Select(job => job.Payload?.Text));
        Assert.Equal([1L, 2L, 3L], jobs.Select(job => job.Lease!.Fence));
        Assert.True(jobs[2].Payload!.Value.TryGetString(out string? text));
        Assert.Equal("text", text);
        FakeRequest request = queue.Servers.Requests.Single();
        Assert.Equal("""{"queues":["q"],"maxJobs":10,"waitMs":1000,"worker":"me"}""", request.Body);
        Assert.NotNull(request.Key);
    }

    [Fact]
    public async Task ALeaseOfSeveralQueuesHasNoKey()
    {
        var queue = new FakeQueue();
        using RaftQueueClient client = queue.Servers.Client();
        Assert.Empty(await client.LeaseAsync(new LeaseRequest(["a", "b"])));
        Assert.Null(queue.Servers.Requests.Single().Key);
    }

    [Fact]
    public async Task OpenResultsAreRepeatedAloneAndComeBackInOrder()
    {
        int calls = 0;
        var servers = new FakeServers(_ => FakeServers.Json(200, ++calls switch
        {
            1 => """{"results":[{"token":"a","status":"not_applied"},{"token":"b","status":"ok"},{"token":"c","status":"unknown"},{"token":"d","status":"invalid","code":"payload_too_large","detail":"x"}]}""",
            2 => """{"results":[{"token":"a","status":"ok"},{"token":"c","status":"not_applied"}]}""",
            _ => """{"results":[{"token":"c","status":"lease_lost"}]}""",
        }));
        using RaftQueueClient client = servers.Client();
        IReadOnlyList<LeaseResult> results = await client.AckAsync([new("a"), new("b", JsonText.FromString("x")), new("c"), new("d")]);
        Assert.Equal(["a", "b", "c", "d"], results.Select(result => result.Token));
        Assert.Equal([LeaseStatus.Ok, LeaseStatus.Ok, LeaseStatus.LeaseLost, LeaseStatus.Invalid], results.Select(result => result.Status));
        Assert.Equal("payload_too_large", results[3].Code);
        Assert.Equal(
            ["""{"acks":[{"token":"a"},{"token":"b","result":"x"},{"token":"c"},{"token":"d"}]}""", """{"acks":[{"token":"a"},{"token":"c"}]}""", """{"acks":[{"token":"c"}]}"""],
            servers.Requests.Select(request => request.Body));
    }

    [Fact]
    public async Task WhatIsNotThereIsNull()
    {
        var servers = new FakeServers(request => FakeServers.Problem(404, request.Path.Contains("queues", StringComparison.Ordinal) ? "queue_not_found" : "job_not_found"));
        using RaftQueueClient client = servers.Client();
        Assert.Null(await client.GetJobAsync("nope/?x"));
        Assert.Null(await client.CancelAsync("nope"));
        Assert.Null(await client.GetQueueAsync("nope"));
        Assert.Equal(["GET /v1/jobs/nope%2F%3Fx", "DELETE /v1/jobs/nope", "GET /v1/queues/nope"], servers.Requests.Select(request => $"{request.Method} {request.Path}"));
    }

    [Fact]
    public async Task QueuesAreReadToTheLastPage()
    {
        var servers = new FakeServers(request => FakeServers.Json(200, request.Path.Contains("cursor=c~1", StringComparison.Ordinal)
            ? """{"queues":[{"name":"b","counts":{"dead":2}}]}"""
            : """{"queues":[{"name":"a","paused":true,"oldestReadyAgeMs":5,"counts":{"ready":1}}],"next":"c~1"}"""));
        using RaftQueueClient client = servers.Client();
        IReadOnlyList<QueueInfo> queues = await client.GetQueuesAsync();
        Assert.Equal(["a", "b"], queues.Select(queue => queue.Name));
        Assert.Equal(TimeSpan.FromMilliseconds(5), queues[0].OldestReadyAge);
        Assert.Equal(2, queues[1].Counts.Dead);
    }

    [Fact]
    public async Task ClusterReadsAnUnknownLeaderAsAbsent()
    {
        var servers = new FakeServers(_ => FakeServers.Json(200, """
            {"clusterId":"demo","nodeId":2,"version":"0.1.0","shards":[{"id":0,"role":"follower","term":3,"leader":null,"commitIndex":7,"appliedIndex":7,
             "lastIndex":9,"stateHash":{"index":7,"hash":"abc"},"members":[{"id":1,"http":"http://a","role":"voter","matchIndex":7,"lagMs":0,"reachable":true}]}]}
            """));
        using RaftQueueClient client = servers.Client();
        ClusterInfo cluster = await client.GetClusterAsync();
        Assert.Null(cluster.Shards[0].Leader);
        Assert.Equal(new StateHash(7, "abc"), cluster.Shards[0].StateHash);
        Assert.True(cluster.Shards[0].Members[0].Reachable);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("1 2")]
    [InlineData("nul")]
    [InlineData("{\"a\":1,}")]
    public void WhatIsNotOneJsonValueIsRefused(string text)
    {
        Assert.False(JsonText.TryParse(text, out _, out string? error));
        Assert.NotEmpty(error!);
        Assert.Throws<FormatException>(() => JsonText.Parse(text));
    }

    [Fact]
    public void TextWithALoneSurrogateIsRefused()
    {
        Assert.Throws<ArgumentException>(() => JsonText.FromString("\ud800x"));
        Assert.True(JsonText.FromString("\ud83d\ude00 ok").TryGetString(out string? text));
        Assert.Equal("\ud83d\ude00 ok", text);
    }
}
