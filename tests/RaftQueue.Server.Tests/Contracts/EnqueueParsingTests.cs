using RaftQueue.Jobs;
using RaftQueue.Server.Contracts;
using RaftQueue.Server.Tests.Support;

namespace RaftQueue.Server.Tests.Contracts;

public sealed class EnqueueParsingTests
{
    private const long TooLong = RequestLimits.MaxDurationMs + 1;

    [Fact]
    public void EveryFieldArrives()
    {
        const string Json = """
            {"payload":{"b":1,"a":[1.0]},"type":"mail","priority":7,"runAt":"2026-01-31T13:00:00.500+01:00",
             "unique":{"key":"k","until":"window","windowMs":60000,"onConflict":"replace"},"maxAttempts":3,
             "retry":{"backoff":"linear","baseMs":10,"maxMs":20,"jitter":0.5},"expireAfterMs":5,"keepMs":6,"keepDeadMs":7,
             "tags":["a","b"],"headers":{"x":"1","traceparent":"mine"}}
            """;
        Assert.Null(Parsing.Enqueue(Json, out RequestScratch scratch, traceParent: "theirs"));
        ParsedJob job = Assert.Single(Parsing.Jobs(scratch));
        Assert.Equal(PayloadKind.Json, job.Kind);
        Assert.Equal("{\"b\":1,\"a\":[1.0]}", Encoding.UTF8.GetString(job.Payload));
        Assert.Equal("mail", job.Type);
        Assert.Equal(7, job.Priority);
        Assert.Equal(DateTimeOffset.Parse("2026-01-31T12:00:00.500Z").ToUnixTimeMilliseconds(), job.RunAtMs);
        Assert.Equal(("k", UniqueUntil.Window, 60_000L, ConflictChoice.Replace), (job.UniqueKey, job.Until, job.WindowMs, job.OnConflict));
        Assert.Equal(3, job.MaxAttempts);
        Assert.Equal(new RetryPolicy(BackoffKind.Linear, 10, 20, 500_000), job.Retry);
        Assert.Equal((5L, 6L, 7L), (job.ExpireAfterMs!.Value, job.KeepMs!.Value, job.KeepDeadMs!.Value));
        Assert.Equal(["a", "b"], job.Tags);
        Assert.Equal(new Dictionary<string, string> { ["x"] = "1", ["traceparent"] = "mine" }, job.Headers);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"payloadBase64":null,"type":null,"priority":null,"delayMs":null,"runAt":null,"unique":null,"tags":null,"headers":null}""")]
    [InlineData("""{"maxAttempts":null,"retry":null,"expireAfterMs":null,"keepMs":null,"keepDeadMs":null,"contentType":null}""")]
    public void WhatIsAbsentOrNullIsNotGiven(string json)
    {
        Assert.Null(Parsing.Enqueue(json, out RequestScratch scratch));
        ParsedJob job = Assert.Single(Parsing.Jobs(scratch));
        Assert.Equal(PayloadKind.None, job.Kind);
        Assert.Null(job.Priority);
        Assert.Null(job.Retry);
        Assert.Equal("", job.UniqueKey);
        Assert.Empty(job.Tags);
    }

    [Theory]
    [InlineData("""{"unique":{"key":"k"}}""", UniqueUntil.Finished, ConflictChoice.Return)]
    [InlineData("""{"unique":{"key":"k","until":"leased","onConflict":"reject"}}""", UniqueUntil.Leased, ConflictChoice.Reject)]
    public void UniqueHasDefaults(string json, UniqueUntil until, ConflictChoice conflict)
    {
        Assert.Null(Parsing.Enqueue(json, out RequestScratch scratch));
        ParsedJob job = Assert.Single(Parsing.Jobs(scratch));
        Assert.Equal((until, conflict), (job.Until, job.OnConflict));
    }

    [Fact]
    public void TheTraceContextOfTheRequestIsPutWhereAJobHasNone()
    {
        const string Json = """{"jobs":[{},{"headers":{"a":"b"}},{"headers":{"TraceParent":"own"}}]}""";
        Assert.Null(Parsing.Enqueue(Json, out RequestScratch scratch, traceParent: "theirs"));
        List<ParsedJob> jobs = Parsing.Jobs(scratch);
        Assert.Equal("theirs", jobs[0].Headers["traceparent"]);
        Assert.Equal(("b", "theirs"), (jobs[1].Headers["a"], jobs[1].Headers["traceparent"]));
        Assert.Equal(new Dictionary<string, string> { ["TraceParent"] = "own" }, jobs[2].Headers);
    }

    [Fact]
    public void EscapedNamesAndValuesAreTheSameAsPlainOnes()
    {
        Assert.Null(Parsing.Enqueue("""{"t\u0079pe":"\u0061\ud83d\ude00","tags":["\n"]}""", out RequestScratch scratch));
        ParsedJob job = Assert.Single(Parsing.Jobs(scratch));
        Assert.Equal("a😀", job.Type);
        Assert.Equal(["\n"], job.Tags);
    }

    public static TheoryData<string, string> Wrong
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (string name in new[] { "priority", "delayMs", "maxAttempts", "expireAfterMs", "keepMs", "keepDeadMs" })
            {
                foreach (string value in new[] { "\"1\"", "true", "[]", "{}", "1.0", "1e3", "-1", "99999999999999999999" })
                    data.Add($"{{\"{name}\":{value}}}", $"/{name}");
            }

            foreach (string name in new[] { "delayMs", "expireAfterMs", "keepMs", "keepDeadMs" })
                data.Add($"{{\"{name}\":{TooLong}}}", $"/{name}");
            foreach (string name in new[] { "type", "runAt", "payloadBase64", "contentType" })
            {
                foreach (string value in new[] { "1", "false", "[]", "{}" }) data.Add($"{{\"{name}\":{value}}}", $"/{name}");
            }

            Add(data, "/priority", """{"priority":10}""");
            Add(data, "/maxAttempts", """{"maxAttempts":0}""", """{"maxAttempts":1000001}""");
            Add(data, "/expireAfterMs", """{"expireAfterMs":0}""");
            Add(data, "/runAt", """{"runAt":"tomorrow"}""", """{"runAt":"2026-01-31"}""", """{"runAt":"2026-02-30T00:00:00Z"}""",
                """{"runAt":"2026-01-31T00:00:00"}""", """{"runAt":"9999-01-01T00:00:00Z"}""", """{"delayMs":1,"runAt":"2026-01-31T00:00:00Z"}""");
            Add(data, "/type", """{"type":""}""", $$"""{"type":"{{new string('a', 129)}}"}""", $$"""{"type":"{{new string('ä', 129)}}"}""");
            Add(data, "/payloadBase64", """{"payloadBase64":"a"}""", """{"payloadBase64":"!!!!"}""", """{"payloadBase64":"YQ"}""");
            Add(data, "/payload", """{"payload":1,"payloadBase64":"YQ=="}""");
            Add(data, "/payloadBytes", """{"payloadBytes":"YQ=="}""");
            Add(data, "/contentType", """{"payload":1,"contentType":"text/plain"}""", """{"contentType":"text/plain"}""",
                $$"""{"payloadBase64":"","contentType":"{{new string('a', 257)}}"}""");
            Add(data, "/unique", """{"unique":"k"}""", """{"unique":["k"]}""");
            Add(data, "/unique/key", """{"unique":{}}""", """{"unique":{"key":1}}""", """{"unique":{"key":""}}""",
                $$$"""{"unique":{"key":"{{{new string('a', 257)}}}"}}""", """{"unique":{"key":"a","key":"b"}}""");
            Add(data, "/unique/until", """{"unique":{"key":"k","until":"ever"}}""", """{"unique":{"key":"k","until":1}}""");
            Add(data, "/unique/onConflict", """{"unique":{"key":"k","onConflict":"drop"}}""");
            Add(data, "/unique/windowMs", """{"unique":{"key":"k","until":"window"}}""", """{"unique":{"key":"k","windowMs":5}}""",
                """{"unique":{"key":"k","until":"window","windowMs":0}}""");
            Add(data, "/unique/other", """{"unique":{"key":"k","other":1}}""");
            Add(data, "/retry", """{"retry":5}""");
            Add(data, "/retry/backoff", """{"retry":{"backoff":"none"}}""");
            Add(data, "/retry/baseMs", """{"retry":{"baseMs":-1}}""");
            Add(data, "/retry/maxMs", """{"retry":{"maxMs":"1"}}""");
            Add(data, "/retry/jitter", """{"retry":{"jitter":-0.1}}""", """{"retry":{"jitter":11}}""", """{"retry":{"jitter":"a"}}""");
            Add(data, "/retry/x~1y~0", """{"retry":{"x/y~":1}}""");
            Add(data, "/tags", """{"tags":"a"}""", $$"""{"tags":[{{string.Join(',', Enumerable.Repeat("\"t\"", 101))}}]}""");
            Add(data, "/tags/1", """{"tags":["a",2]}""", """{"tags":["a",""]}""", $$"""{"tags":["a","{{new string('t', 65)}}"]}""",
                """{"tags":["a",null]}""", """{"tags":["a",["b"]]}""");
            Add(data, "/headers", """{"headers":[]}""",
                "{\"headers\":{" + string.Join(',', Enumerable.Range(0, 33).Select(i => $"\"h{i}\":\"\"")) + "}}",
                $$$"""{"headers":{"a":"{{{new string('v', 4096)}}}"}}""");
            Add(data, "/headers/a", """{"headers":{"a":1}}""", """{"headers":{"a":null}}""", """{"headers":{"a":"1","a":"2"}}""");
            Add(data, "/headers/", """{"headers":{"":"1"}}""");
            foreach (string later in new[] { "group", "timeoutMs", "dependsOn", "onDependencyFailure", "ref" })
                data.Add($"{{\"{later}\":\"x\"}}", $"/{later}");
            Add(data, "/delay", """{"delay":1}""");
            Add(data, "/priority", """{"priority":1,"priority":1}""");
            Add(data, "/payload", """{"payload":1,"payload":1}""");
            Add(data, "", "[]", "1", "\"a\"", "null");
            Add(data, "/jobs", """{"jobs":{}}""", """{"jobs":[]}""", """{"jobs":null}""", """{"jobs":[{}],"type":"a"}""");
            Add(data, "/jobs/0", """{"jobs":[1]}""", """{"jobs":[null]}""");
            Add(data, "/jobs/1/priority", """{"jobs":[{},{"priority":-1},{}]}""");
            Add(data, "/jobs/0/jobs", """{"jobs":[{"jobs":[]}]}""");
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Wrong))]
    public void WhatIsWrongIsNamed(string json, string pointer)
    {
        Problem? problem = Parsing.Enqueue(json, out _);
        Assert.NotNull(problem);
        Assert.Equal(ProblemCode.InvalidRequest, problem.Code);
        RequestError error = Assert.Single(problem.Errors);
        Assert.Equal(pointer, error.Pointer);
        Assert.NotEmpty(error.Detail);
    }

    [Fact]
    public void AllErrorsOfABodyAreNamed()
    {
        Problem? problem = Parsing.Enqueue("""{"jobs":[{"priority":-1,"x":1},{},{"type":5,"tags":[1,""]}]}""", out _);
        Assert.Equal(
            ["/jobs/0/priority", "/jobs/0/x", "/jobs/2/type", "/jobs/2/tags/0", "/jobs/2/tags/1"],
            problem!.Errors.Select(error => error.Pointer));
    }

    [Fact]
    public void NamedErrorsAreBounded()
    {
        Problem? problem = Parsing.Enqueue($"{{\"jobs\":[{string.Join(',', Enumerable.Repeat("{\"x\":1}", 1000))}]}}", out _);
        Assert.Equal(RequestLimits.MaxErrors, problem!.Errors.Count);
        Assert.Contains("(999 more)", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void ABatchHoldsAtMostAThousandJobs()
    {
        string Batch(int count) => $"{{\"jobs\":[{string.Join(',', Enumerable.Repeat("{}", count))}]}}";
        Assert.Null(Parsing.Enqueue(Batch(1000), out RequestScratch scratch));
        Assert.Equal(1000, Parsing.Jobs(scratch).Count);
        Assert.Equal("/jobs", Assert.Single(Parsing.Enqueue(Batch(1001), out _)!.Errors).Pointer);
    }

    [Fact]
    public void APayloadHasItsLimitInBytes()
    {
        string Json(int bytes) => $"{{\"payload\":\"{new string('x', bytes - 2)}\"}}";
        Assert.Null(Parsing.Enqueue(Json(1 << 20), out _));
        Assert.Equal(ProblemCode.PayloadTooLarge, Parsing.Enqueue(Json((1 << 20) + 1), out _)!.Code);
        string bytes = Convert.ToBase64String(new byte[(1 << 20) + 1]);
        Assert.Equal(ProblemCode.PayloadTooLarge, Parsing.Enqueue($"{{\"payloadBase64\":\"{bytes}\"}}", out _)!.Code);
        Assert.Null(Parsing.Enqueue($"{{\"payloadBase64\":\"{Convert.ToBase64String(new byte[1 << 20])}\"}}", out _));
    }

    private static void Add(TheoryData<string, string> data, string pointer, params string[] bodies)
    {
        foreach (string body in bodies) data.Add(body, pointer);
    }
}
