using System.Text.Json;

namespace RaftQueue.Tests;

/// <summary>The load generator does what its report says: counted against the servers, never by how fast it was.</summary>
public sealed class BenchTests(LocalCluster cluster) : IClassFixture<LocalCluster>
{
    [Fact]
    public async Task EveryJobOfACycleIsEnqueuedAndDone()
    {
        JsonElement report = await cluster.JsonAsync("bench", "cycle", "--queue", "cycle", "--jobs", "300", "--batch", "30", "--connections", "3");
        Assert.Equal(300, report.GetProperty("jobs").GetInt64());
        Assert.Equal(10, report.GetProperty("enqueue").GetProperty("count").GetInt64());
        Assert.Equal(300, await cluster.CountAsync("cycle", "succeeded"));
        Assert.Equal(0, await cluster.CountAsync("cycle", "ready"));
    }

    [Fact]
    public async Task DelaysAreDrawnAndJobsScheduledAgainStayScheduled()
    {
        await cluster.JsonAsync("bench", "enqueue", "--queue", "later", "--jobs", "200", "--batch", "50", "--delay-over", "30d");
        Assert.Equal(200, await cluster.CountAsync("later", "scheduled"));
        JsonElement report = await cluster.JsonAsync(
            "bench", "reschedule", "--queue", "later", "--jobs", "400", "--batch", "20", "--connections", "2", "--rate", "2000");
        Assert.Equal(400, report.GetProperty("jobs").GetInt64());
        Assert.Equal(20, report.GetProperty("reschedule").GetProperty("count").GetInt64());
        Assert.Equal(2000, report.GetProperty("wantedJobsPerSecond").GetInt64());
        Assert.Equal(200, await cluster.CountAsync("later", "scheduled"));
    }

    [Fact]
    public async Task WithoutJobsARescheduleRunEndsAndSaysSo()
    {
        Run.Result result = await cluster.CommandAsync("bench", "reschedule", "--queue", "nothing", "--seconds", "60");
        Assert.Equal(1, result.Code);
        Assert.Contains("there are no jobs to reschedule", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ADiskIsTimedByItselfAndLeftAsItWas()
    {
        using var scratch = new Scratch();
        Run.Result result = await Run.ToEndAsync("bench", "disk", scratch.Directory, "--seconds", "0.1", "--json");
        JsonElement report = JsonDocument.Parse(result.Ok()).RootElement;
        Assert.True(report.GetProperty("writes").GetInt64() > 0);
        Assert.True(report.GetProperty("p50Ms").GetDouble() > 0);
        Assert.True(report.GetProperty("maxMs").GetDouble() >= report.GetProperty("p99Ms").GetDouble());
        Assert.Empty(Directory.GetFileSystemEntries(scratch.Directory));
    }

    [Theory]
    [InlineData("--rate", "0")]
    [InlineData("--delay-over", "soon")]
    [InlineData("--pull-ahead", "-1")]
    public async Task WrongOptionsAreNamed(string option, string value)
    {
        Run.Result result = await cluster.CommandAsync("bench", "enqueue", option, value);
        Assert.Equal(2, result.Code);
        Assert.Contains(value, result.Error, StringComparison.Ordinal);
    }
}
