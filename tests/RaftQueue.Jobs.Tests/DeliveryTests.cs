using RaftQueue.Checkers.Model;
using RaftQueue.Jobs.Tests.Support;

namespace RaftQueue.Jobs.Tests;

/// <summary>The rows of the interface's table of jobs that are about order, time and leases.</summary>
public sealed class DeliveryTests
{
    [Fact]
    public void Higher_priority_first_then_due_time_then_enqueue()
    {
        using var shard = new Shard();
        List<JobId> ids = shard.Enqueue(
            "q",
            new PlainJob { DelayMs = 20 },
            new PlainJob { DelayMs = 10 },
            new PlainJob { Priority = 1, DelayMs = 30 },
            new PlainJob { DelayMs = 10 });
        shard.Advance(50);
        Assert.Equal([ids[2], ids[1], ids[3], ids[0]], shard.Lease("q", 10).Select(token => token.Job));
    }

    [Fact]
    public void Never_before_its_time_except_by_pull_ahead_and_then_the_earliest_whatever_the_priority()
    {
        using var shard = new Shard();
        List<JobId> ids = shard.Enqueue("q", new PlainJob { DelayMs = 500, Priority = 9 }, new PlainJob { DelayMs = 400 });
        Assert.Empty(shard.Lease("q"));
        Assert.False(shard.Store.CanLease("q"u8, 399));
        Assert.Empty(shard.Lease("q", 10, pullAheadMs: 399));
        Assert.True(shard.Store.CanLease("q"u8, 400));
        Assert.Equal(ids[1], Assert.Single(shard.Lease("q", 1, pullAheadMs: 500)).Job);
        shard.Now += 499;
        Assert.Empty(shard.Lease("q"));
        shard.Now += 1;
        Assert.Equal(ids[0], Assert.Single(shard.Lease("q")).Job);
    }

    [Fact]
    public void A_retry_in_back_off_is_never_pulled_ahead()
    {
        using var shard = new Shard();
        shard.Enqueue("q", new PlainJob());
        shard.Run(CommandType.Nack, Bodies.Nack(shard.Lease("q"), "no", delayMs: 100));
        Assert.False(shard.Store.CanLease("q"u8, 1000));
        Assert.Empty(shard.Lease("q", 1, pullAheadMs: 1000));
        shard.Now += 100;
        Assert.Single(shard.Lease("q"));
    }

    [Fact]
    public void Released_and_expired_jobs_go_to_the_front()
    {
        using var shard = new Shard();
        List<JobId> ids = shard.Enqueue("q", new PlainJob(), new PlainJob(), new PlainJob());
        List<LeaseToken> tokens = shard.Lease("q", 2, leaseMs: 100);
        shard.Run(CommandType.Release, Bodies.Release([tokens[0]]));
        shard.Advance(100);
        Assert.Equal([ids[1], ids[0], ids[2]], shard.Lease("q", 3).Select(token => token.Job));
        Assert.Contains("Attempt = 2,", shard.Text(ids[1]), StringComparison.Ordinal);
        Assert.Contains("Attempt = 1,", shard.Text(ids[0]), StringComparison.Ordinal);
    }

    [Fact]
    public void A_lease_is_over_at_its_end_whether_or_not_a_tick_came()
    {
        using var shard = new Shard();
        JobId id = Assert.Single(shard.Enqueue("q", new PlainJob()));
        List<LeaseToken> tokens = shard.Lease("q", 1, leaseMs: 100);
        shard.Now += 100;
        Assert.Equal("Ok at 3\n  LeaseLost", shard.Run(CommandType.Ack, Bodies.Ack(tokens)));
        Assert.Contains("Error = lease expired", shard.Text(id), StringComparison.Ordinal);
        Assert.Contains("State = Ready", shard.Text(id), StringComparison.Ordinal);
    }

    [Fact]
    public void More_than_a_thousand_leases_that_end_at_once_are_over_for_every_command()
    {
        using var shard = new Shard();
        for (int i = 0; i < 3; i++) shard.Enqueue("q", [.. Enumerable.Range(0, 1000).Select(_ => new PlainJob { MaxAttempts = 1 })]);
        List<LeaseToken> tokens = shard.Lease("q", 3000, leaseMs: 100);
        Assert.Equal(3000, tokens.Count);
        shard.Now += 100;
        Assert.Equal("Ok at 5\n  LeaseLost", shard.Run(CommandType.Ack, Bodies.Ack([tokens[^1]])));
        Assert.True(shard.Store.HasDueWork);
        Assert.Contains("State = Dead, Reason = Attempts", shard.Text(tokens[^1].Job), StringComparison.Ordinal);
        Assert.Contains("State = Leased", shard.Text(tokens[^2].Job), StringComparison.Ordinal);
        shard.Advance(0);
        shard.Advance(0);
        Assert.False(shard.Store.HasDueWork);
        Assert.Equal("q [0,0,0,0,3000,0,0] oldest  totals 3000/0/3000", shard.Replica.Queue("q"));
    }

    [Fact]
    public void Jobs_due_behind_a_backlog_can_be_leased_and_newcomers_do_not_overtake_them()
    {
        using var shard = new Shard();
        for (int i = 0; i < 2; i++) shard.Enqueue("q", [.. Enumerable.Range(0, 1000).Select(_ => new PlainJob { DelayMs = 50 })]);
        JobId last = shard.Enqueue("q", new PlainJob { DelayMs = 60 })[0];
        shard.Now += 100;
        JobId newcomer = shard.Enqueue("q", new PlainJob())[0];
        Assert.True(shard.Store.HasDueWork);
        List<LeaseToken> first = shard.Lease("q", 2000);
        List<LeaseToken> second = shard.Lease("q", 2000);
        Assert.Equal(2002, first.Count + second.Count);
        Assert.Equal([last, newcomer], first.Concat(second).Skip(2000).Select(token => token.Job));
    }

    [Fact]
    public void What_was_not_leased_in_time_is_not_pulled_ahead_when_its_timer_is_late()
    {
        using var shard = new Shard();
        for (int i = 0; i < 4; i++) shard.Enqueue("q", [.. Enumerable.Range(0, 900).Select(_ => new PlainJob { RunAtMs = 1_000_500, ExpireAfterMs = 100 })]);
        // A thousand become ready by their timers and a thousand for the request, which may carry out no more.
        shard.Now = 1_000_700;
        Assert.Empty(shard.Lease("q", 10, pullAheadMs: 5_000));
        Assert.Equal("q [1600,2000,0,0,0,0,0] oldest 1000500 totals 3600/0/0", shard.Replica.Queue("q"));
        while (shard.Store.HasDueWork) shard.Advance(0);
        Assert.Equal("q [0,0,0,0,3600,0,0] oldest  totals 3600/0/0", shard.Replica.Queue("q"));
    }

    [Fact]
    public void Queues_are_served_in_strict_order_and_what_does_not_fit_ends_the_request()
    {
        using var shard = new Shard();
        JobId low = shard.Enqueue("low", new PlainJob())[0];
        List<JobId> high = shard.Enqueue("high", new PlainJob { Payload = "\"1234567890\"" }, new PlainJob { Payload = "\"1234567890\"" });
        shard.Run(CommandType.Lease, Bodies.Lease(["high", "nope", "low"], 10, 1000));
        Assert.Equal([.. high, low], shard.Tokens.Select(token => token.Job));
        shard.Run(CommandType.Release, Bodies.Release(shard.Tokens.ToArray()));
        shard.Run(CommandType.Lease, Bodies.Lease(["high", "low"], 10, 1000, maxBytes: 1));
        Assert.Single(shard.Tokens);
    }

    [Fact]
    public void An_attempt_history_keeps_the_last_ten()
    {
        using var shard = new Shard();
        JobId id = Assert.Single(shard.Enqueue("q", new PlainJob { MaxAttempts = 100 }));
        for (int i = 0; i < 12; i++) shard.Run(CommandType.Nack, Bodies.Nack(shard.Lease("q"), $"e{i}", delayMs: 0));
        string text = shard.Text(id);
        Assert.Contains("Attempts = 3:w", text, StringComparison.Ordinal);
        Assert.Contains("Failed:e11, Lease", text, StringComparison.Ordinal);
        Assert.Contains("Error = e11", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Reschedule_is_a_success_and_a_new_run_of_the_same_job()
    {
        using var shard = new Shard();
        JobId id = Assert.Single(shard.Enqueue("q", new PlainJob { Key = "k", Tags = ["t"] }));
        List<LeaseToken> tokens = shard.Lease("q");
        byte[] again = Bodies.Reschedule(tokens, delayMs: 500, payload: "2", priority: 4);
        Assert.Equal("Ok at 3\n  Ok", shard.Run(CommandType.Reschedule, again));
        Assert.Equal("Ok at 4\n  Ok", shard.Run(CommandType.Reschedule, again));
        Assert.Equal("Ok at 5\n  LeaseLost", shard.Run(CommandType.Ack, Bodies.Ack(tokens)));
        string text = shard.Text(id);
        Assert.Contains("State = Scheduled, Reason = None, Priority = 4, Attempt = 0,", text, StringComparison.Ordinal);
        Assert.Contains("Runs = 1,", text, StringComparison.Ordinal);
        Assert.Contains("UniqueKey = k, Tags = t,", text, StringComparison.Ordinal);
        Assert.Contains("1 Scheduled duplicate", shard.Run(CommandType.Enqueue, Bodies.Enqueue("q", false, [new PlainJob { Key = "k" }])), StringComparison.Ordinal);
    }

    [Fact]
    public void Expiry_before_the_first_lease_kills_and_does_not_count_afterwards()
    {
        using var shard = new Shard();
        List<JobId> ids = shard.Enqueue("q", new PlainJob { ExpireAfterMs = 100 }, new PlainJob { ExpireAfterMs = 100 });
        List<LeaseToken> tokens = shard.Lease("q");
        shard.Run(CommandType.Release, Bodies.Release(tokens));
        shard.Advance(100);
        Assert.Contains("State = Ready", shard.Text(ids[0]), StringComparison.Ordinal);
        Assert.Contains("State = Dead, Reason = Expired", shard.Text(ids[1]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(BackoffKind.Exponential, 1, 100)]
    [InlineData(BackoffKind.Exponential, 3, 400)]
    [InlineData(BackoffKind.Exponential, 5, 1000)]
    [InlineData(BackoffKind.Exponential, 2_000_000_000, 1000)]
    [InlineData(BackoffKind.Linear, 3, 300)]
    [InlineData(BackoffKind.Linear, 4_000_000_000, 1000)]
    [InlineData(BackoffKind.Fixed, 7, 100)]
    public void Back_off_is_never_shorter_and_at_most_jitter_longer(BackoffKind kind, long attempt, long expected)
    {
        Assert.Equal(expected, new RetryPolicy(kind, 100, 1000, 0).DelayMs(5, attempt));
        var seen = new HashSet<long>();
        for (ulong sequence = 1; sequence <= 2000; sequence++)
        {
            long delay = new RetryPolicy(kind, 100, 1000, 200_000).DelayMs(sequence, attempt);
            Assert.InRange(delay, expected, expected + (expected / 5));
            seen.Add(delay);
        }

        Assert.Contains(expected, seen);
        Assert.Contains(expected + (expected / 5), seen);
    }

    [Fact]
    public void Back_off_does_not_overflow()
    {
        var widest = new RetryPolicy(BackoffKind.Exponential, JobLimits.MaxDurationMs, JobLimits.MaxDurationMs, RetryPolicy.MaxJitterPpm);
        Assert.InRange(widest.DelayMs(ulong.MaxValue, uint.MaxValue), 0, JobLimits.MaxDurationMs);
    }
}
