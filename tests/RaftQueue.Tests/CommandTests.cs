using System.Text.Json;

namespace RaftQueue.Tests;

/// <summary>Every command against three real nodes.</summary>
public sealed class CommandTests(LocalCluster cluster) : IClassFixture<LocalCluster>
{
    [Fact]
    public async Task AJobGoesAllTheWay()
    {
        string id = (await cluster.CommandAsync("enqueue", "way", """{"n":12345678901234567890,"f":1.0}""", "--priority", "3", "--type", "t", "--tag", "a", "--tag", "b")).Ok();
        JsonElement job = await cluster.JsonAsync("job", id);
        Assert.Equal("ready", job.GetProperty("state").GetString());
        Assert.Equal("""{"n":12345678901234567890,"f":1.0}""", job.GetProperty("payload").GetRawText());
        Assert.Equal(3, job.GetProperty("priority").GetInt32());
        Assert.Contains("state:      ready", (await cluster.CommandAsync("job", id)).Ok(), StringComparison.Ordinal);
        Assert.Equal($"{id} succeeded", (await cluster.CommandAsync("work", "way", "--once", "--", "cat")).Ok());
        Assert.Equal("""{"n":12345678901234567890,"f":1.0}""", (await cluster.JsonAsync("job", id)).GetProperty("result").GetRawText());
        Assert.Equal(1, await cluster.CountAsync("way", "succeeded"));
        Assert.Contains("way", (await cluster.CommandAsync("queues")).Ok(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task WorkGivesTheCommandTheJobAndTakesItsResult()
    {
        string id = (await cluster.CommandAsync("enqueue", "text", "two words", "--text")).Ok();
        const string script = """printf '%s|%s|%s|%s|' "$(cat)" "$1" "$RAFTQUEUE_JOB_ID" "$RAFTQUEUE_ATTEMPT"; test "$RAFTQUEUE_FENCE" -gt 0 && printf fenced""";
        (await cluster.CommandAsync("work", "text", "--once", "--", "sh", "-c", script, "sh", "<{}>")).Ok();
        Assert.Equal($"two words|<two words>|{id}|1|fenced", (await cluster.JsonAsync("job", id)).GetProperty("result").GetString());
    }

    [Fact]
    public async Task AFailedCommandFailsTheAttemptWithTheEndOfItsErrors()
    {
        string id = (await cluster.CommandAsync("enqueue", "bad", "1", "--max-attempts", "1")).Ok();
        const string script = """head -c 10000 /dev/zero | tr '\0' x >&2; echo the end >&2; exit 3""";
        Run.Result work = await cluster.CommandAsync("work", "bad", "--once", "--", "sh", "-c", script);
        Assert.Equal(1, work.Code);
        JsonElement job = await cluster.JsonAsync("job", id);
        Assert.Equal("dead", job.GetProperty("state").GetString());
        string error = job.GetProperty("attempts")[0].GetProperty("error").GetString()!;
        Assert.Equal(4096, error.Length);
        Assert.EndsWith("xxthe end\n", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WorkOutlivesTheLeaseThatItExtends()
    {
        string id = (await cluster.CommandAsync("enqueue", "slow", "1")).Ok();
        (await cluster.CommandAsync("work", "slow", "--once", "--lease-ms", "1500", "--", "sleep", "4")).Ok();
        JsonElement job = await cluster.JsonAsync("job", id);
        Assert.Equal("succeeded", job.GetProperty("state").GetString());
        Assert.Equal(1, job.GetProperty("attempt").GetInt32());
    }

    [Fact]
    public async Task LinesBecomeJobsInOrder()
    {
        string lines = string.Concat(Enumerable.Range(1, 2500).Select(i => $"{i}\n"));
        Run.Result result = await cluster.CommandWithInputAsync(lines, "enqueue", "lines", "-", "--json");
        Assert.Contains("2500 jobs enqueued", result.Error, StringComparison.Ordinal);
        string[] ids = [.. result.Ok().Split('\n').Select(line => JsonDocument.Parse(line).RootElement.GetProperty("id").GetString()!)];
        Assert.Equal(2500, ids.Distinct().Count());
        Assert.Equal(ids.Order(StringComparer.Ordinal), ids);
        Assert.Equal("1", (await cluster.JsonAsync("job", ids[0])).GetProperty("payload").GetRawText());
        Assert.Equal("2500", (await cluster.JsonAsync("job", ids[^1])).GetProperty("payload").GetRawText());
    }

    [Fact]
    public async Task AWrongLineStopsThereAndSaysWhatIsConfirmed()
    {
        Run.Result result = await cluster.CommandWithInputAsync("1\n2\nnot json\n4\n", "enqueue", "wrong-line", "-");
        Assert.Equal(1, result.Code);
        Assert.Contains("line 3 is not JSON", result.Error, StringComparison.Ordinal);
        Assert.Contains("2 jobs are confirmed", result.Error, StringComparison.Ordinal);
        Assert.Equal(2, await cluster.CountAsync("wrong-line", "ready"));
        (await cluster.CommandWithInputAsync("1\n2\n3\n4\n", "enqueue", "wrong-line", "-", "--skip", "2")).Ok();
        Assert.Equal(4, await cluster.CountAsync("wrong-line", "ready"));
    }

    [Fact]
    public async Task ARepeatUnderTheSameKeyEnqueuesNothing()
    {
        string lines = string.Concat(Enumerable.Range(1, 250).Select(i => $"{i}\n"));
        (await cluster.CommandWithInputAsync(lines, "enqueue", "keyed", "-", "--idempotency-key", "import-7")).Ok();
        (await cluster.CommandWithInputAsync(lines, "enqueue", "keyed", "-", "--idempotency-key", "import-7")).Ok();
        Assert.Equal(250, await cluster.CountAsync("keyed", "ready"));
    }

    [Fact]
    public async Task AUniqueKeyMakesOneJob()
    {
        string first = (await cluster.CommandAsync("enqueue", "unique", "1", "--unique-key", "k")).Ok();
        Assert.Equal($"{first} duplicate", (await cluster.CommandAsync("enqueue", "unique", "2", "--unique-key", "k")).Ok());
        Assert.Equal(1, await cluster.CountAsync("unique", "ready"));
    }

    [Fact]
    public async Task ADelayedJobIsScheduledAndCanBeCancelled()
    {
        string id = (await cluster.CommandAsync("enqueue", "later", "1", "--delay", "1h30m")).Ok();
        JsonElement job = await cluster.JsonAsync("job", id);
        Assert.Equal("scheduled", job.GetProperty("state").GetString());
        TimeSpan delay = job.GetProperty("runAt").GetDateTimeOffset() - job.GetProperty("createdAt").GetDateTimeOffset();
        Assert.Equal(TimeSpan.FromMinutes(90), delay);
        Assert.Equal($"{id} cancelled", (await cluster.CommandAsync("job", "cancel", id)).Ok());
        Assert.Equal($"{id} cancelled", (await cluster.CommandAsync("job", "cancel", id)).Ok());
        Assert.Equal(1, (await cluster.CommandAsync("job", "cancel", "nope")).Code);
        Assert.Equal(1, (await cluster.CommandAsync("job", "nope")).Code);
    }

    [Fact]
    public async Task ACommandThatIsNotThereEndsTheWorkerAndHandsTheJobBack()
    {
        string id = (await cluster.CommandAsync("enqueue", "missing", "1")).Ok();
        Run.Result work = await cluster.CommandAsync("work", "missing", "--", "/no/such/command");
        Assert.Equal(1, work.Code);
        JsonElement job = await cluster.JsonAsync("job", id);
        Assert.Equal("ready", job.GetProperty("state").GetString());
        Assert.Equal(0, job.GetProperty("attempt").GetInt32());
    }

    [Fact]
    public async Task WhatTheClusterRefusesIsSaidOnce()
    {
        Run.Result refused = await cluster.CommandAsync("enqueue", "refused", "1", "--priority", "12");
        Assert.Equal(1, refused.Code);
        Assert.Equal(2, refused.Error.Split("/priority").Length);
        Assert.Single(refused.ErrorLines);
    }

    [Fact]
    public async Task TheClusterIsShown()
    {
        JsonElement seen = await cluster.JsonAsync("cluster");
        Assert.Equal(3, seen.GetProperty("shards")[0].GetProperty("members").GetArrayLength());
        Assert.Contains("leader node", (await cluster.CommandAsync("cluster")).Ok(), StringComparison.Ordinal);
        // A follower does not know how far the others are, and does not say 0.
        int leader = await cluster.LeaderAsync();
        int follower = leader % 3 + 1;
        string[] lines = (await cluster.CommandAsync("cluster", "--server", cluster.Http(follower).ToString())).Ok().Split('\n');
        string Line(int node) => Assert.Single(lines, line => line.StartsWith($"  {node} ", StringComparison.Ordinal));
        Assert.Matches(" voter +[^ ]+ +-  +-  ", Line(leader));
        Assert.Matches(" voter +[^ ]+ +[0-9]+ +0 ms ", Line(follower));
    }

    [Fact]
    public async Task CheckRefusesARunningNodesDirectory()
    {
        Run.Result check = await cluster.CommandAsync("check", Path.Combine(cluster.Data, "node1"));
        Assert.Equal(1, check.Code);
        Assert.Contains("stop the node first", check.Output, StringComparison.Ordinal);
    }
}
