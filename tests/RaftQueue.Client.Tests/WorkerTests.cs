using System.Text.Json;

namespace RaftQueue.Client.Tests;

/// <summary>The worker host over a queue in memory. Nothing here waits for a time: every step waits for an event.</summary>
public sealed class WorkerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task FinishesByTheHandlersOutcome()
    {
        var queue = new FakeQueue("1", "2", "3", "4", "5", "6");
        await RunAsync(queue, 1, (run, _) => run.Job.Payload!.Value.Text switch
        {
            "1" => Task.FromResult(JobOutcome.Done(JsonText.FromString("fine"))),
            "2" => Task.FromResult(JobOutcome.Failed("not fine", TimeSpan.FromSeconds(2))),
            "3" => Task.FromResult(JobOutcome.Dead("never")),
            "4" => Task.FromResult(JobOutcome.HandBack()),
            "5" => Task.FromResult(JobOutcome.Again(TimeSpan.FromMinutes(1), JsonText.Parse("[1]"))),
            _ => throw new InvalidOperationException("thrown"),
        });
        Assert.Equal(["""{"token":"t1","result":"fine"}"""], queue.Calls("ack").Select(Text));
        Assert.Equal(
            ["""{"token":"t2","error":"not fine","delayMs":2000}""", """{"token":"t3","error":"never","dead":true}""", """{"token":"t6","error":"thrown"}"""],
            queue.Calls("nack").Select(Text));
        Assert.Equal(["""{"token":"t4"}"""], queue.Calls("release").Select(Text));
        Assert.Equal(["""{"token":"t5","delayMs":60000,"payload":[1]}"""], queue.Calls("reschedule").Select(Text));
    }

    [Fact]
    public async Task RunsAsManyAtOnceAsAllowedAndNoMore()
    {
        var queue = new FakeQueue([.. Enumerable.Range(0, 20).Select(i => $"{i}")]);
        int running = 0;
        int most = 0;
        var full = new TaskCompletionSource();
        await RunAsync(queue, 4, async (_, _) =>
        {
            int now = Interlocked.Increment(ref running);
            InterlockedMax(ref most, now);
            if (now == 4) full.TrySetResult();
            await full.Task.WaitAsync(Patience, CancellationToken.None);
            Interlocked.Decrement(ref running);
            return JobOutcome.Done();
        });
        Assert.Equal(4, most);
        Assert.Equal(20, queue.Calls("ack").Count);
    }

    [Fact]
    public async Task ExtendsWhileTheHandlerRuns()
    {
        var queue = new FakeQueue("1");
        await RunAsync(queue, 1, async (run, cancel) =>
        {
            run.Progress = JsonText.Parse("7");
            await UntilAsync(() => queue.Calls("extend").Count >= 3, cancel);
            return JobOutcome.Done();
        });
        Assert.All(queue.Calls("extend"), extend => Assert.Equal("""{"token":"t1","leaseMs":30000,"progress":7}""", Text(extend)));
        Assert.Single(queue.Calls("ack"));
    }

    [Fact]
    public async Task ALostLeaseCancelsTheHandlerAndIsNotFinished()
    {
        var queue = new FakeQueue("1") { ExtendReply = """{"token":"TOKEN","status":"lease_lost"}""" };
        LeaseResult? told = null;
        await RunAsync(queue, 1, UntilCancelledAsync, (_, _, result) => told = result);
        Assert.Equal(LeaseStatus.LeaseLost, told!.Status);
        Assert.Empty(queue.Calls("ack"));
        Assert.Empty(queue.Calls("nack"));
    }

    [Fact]
    public async Task ALeaseThatCannotBeExtendedIsGivenUpWhenItRunsOut()
    {
        var queue = new FakeQueue("1") { RemainingMs = 200 };
        queue.Before = request => request.Path.EndsWith("extend", StringComparison.Ordinal) ? FakeServers.Problem(503, "no_leader") : null;
        bool lost = false;
        await RunAsync(queue, 1, UntilCancelledAsync, (run, _, _) => lost = run.IsLeaseLost);
        Assert.True(lost);
    }

    [Fact]
    public async Task ARequestedCancellationReachesTheHandlerAndEndsTheAttempt()
    {
        var queue = new FakeQueue("1") { ExtendReply = """{"token":"TOKEN","status":"ok","remainingMs":30000,"cancelRequested":true}""" };
        await RunAsync(queue, 1, UntilCancelledAsync);
        Assert.Equal(["""{"token":"t1","error":"cancelled"}"""], queue.Calls("nack").Select(Text));
    }

    [Fact]
    public async Task StopWaitsForWhatRunsAndLeasesNoMore()
    {
        var queue = new FakeQueue("1", "2");
        using var stop = new CancellationTokenSource();
        using RaftQueueClient client = queue.Servers.Client();
        var worker = new Worker(client, new WorkerOptions { Queues = ["q"] }, async (_, cancel) =>
        {
            await stop.CancelAsync();
            Assert.False(cancel.IsCancellationRequested);
            return JobOutcome.Done();
        });
        await worker.RunAsync(stop.Token).WaitAsync(Patience);
        Assert.Single(queue.Calls("ack"));
    }

    [Fact]
    public async Task AbortHandsTheJobBack()
    {
        var queue = new FakeQueue("1");
        using var abort = new CancellationTokenSource();
        using RaftQueueClient client = queue.Servers.Client();
        var worker = new Worker(client, new WorkerOptions { Queues = ["q"] }, async (run, cancel) =>
        {
            await abort.CancelAsync();
            return await UntilCancelledAsync(run, cancel);
        });
        await worker.RunAsync(CancellationToken.None, abort.Token).WaitAsync(Patience);
        Assert.Equal(["""{"token":"t1"}"""], queue.Calls("release").Select(Text));
    }

    [Fact]
    public async Task StopsAfterTheNumberOfJobsAskedFor()
    {
        var queue = new FakeQueue("1", "2", "3");
        using RaftQueueClient client = queue.Servers.Client();
        var worker = new Worker(client, new WorkerOptions { Queues = ["q"], Concurrency = 5, MostJobs = 2 }, (_, _) => Task.FromResult(JobOutcome.Done()));
        await worker.RunAsync(CancellationToken.None).WaitAsync(Patience);
        Assert.Equal(2, queue.Calls("ack").Count);
    }

    [Fact]
    public async Task OutlivesAClusterThatIsGoneForAWhile()
    {
        var queue = new FakeQueue("1", "2");
        int left = 30;
        queue.Before = _ => Interlocked.Decrement(ref left) >= 0 ? FakeServers.Problem(503, "no_leader") : null;
        using RaftQueueClient client = queue.Servers.Client(TimeSpan.FromMilliseconds(5));
        int errors = 0;
        var options = new WorkerOptions { Queues = ["q"], StopWhenEmpty = true, OnError = _ => errors++ };
        await new Worker(client, options, (_, _) => Task.FromResult(JobOutcome.Done())).RunAsync(CancellationToken.None).WaitAsync(Patience);
        Assert.Equal(2, queue.Calls("ack").Count);
        Assert.True(errors > 0);
    }

    [Fact]
    public async Task ARefusedLeaseRequestEndsTheWorker()
    {
        var queue = new FakeQueue { Before = _ => FakeServers.Problem(400, "invalid_request") };
        RaftQueueException error = await Assert.ThrowsAsync<RaftQueueException>(() => RunAsync(queue, 1, UntilCancelledAsync));
        Assert.Equal("invalid_request", error.Code);
    }

    private static async Task RunAsync(FakeQueue queue, int concurrency, JobHandler handler, Action<JobRun, JobOutcome, LeaseResult>? finished = null)
    {
        using RaftQueueClient client = queue.Servers.Client();
        var options = new WorkerOptions
        {
            Queues = ["q"],
            Concurrency = concurrency,
            StopWhenEmpty = true,
            OnFinished = finished,
            ExtendEvery = TimeSpan.FromMilliseconds(20),
        };
        await new Worker(client, options, handler).RunAsync(CancellationToken.None).WaitAsync(Patience);
    }

    private static async Task<JobOutcome> UntilCancelledAsync(JobRun run, CancellationToken cancel)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, cancel);
        return JobOutcome.Done();
    }

    private static async Task UntilAsync(Func<bool> condition, CancellationToken cancel)
    {
        while (!condition()) await Task.Delay(5, cancel);
    }

    private static void InterlockedMax(ref int most, int value)
    {
        int seen = Volatile.Read(ref most);
        while (value > seen)
        {
            int before = Interlocked.CompareExchange(ref most, value, seen);
            if (before == seen) return;
            seen = before;
        }
    }

    private static string Text(JsonElement element) => element.GetRawText();
}
