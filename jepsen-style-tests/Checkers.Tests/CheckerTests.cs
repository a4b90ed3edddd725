using RaftQueue.Jobs;

namespace RaftQueue.Checkers.Tests;

/// <summary>Each checker passes what holds and finds what does not, in histories made by hand.</summary>
public sealed class CheckerTests
{
    [Fact]
    public void A_job_that_was_made_leased_and_finished_breaks_nothing()
    {
        Made made = WholeLife();
        Verdicts.Require(made.Record(healedMs: 0, recoveryMs: 1_000));
        Assert.All(Verdicts.Of(made.Record()), verdict => Assert.Null(verdict.Finding));
    }

    [Fact]
    public void P1_a_job_that_was_acknowledged_and_is_on_no_node_is_lost()
    {
        Made made = WholeLife();
        made.Enqueue(2, (50, 60), 9);
        made.Final(2, (1, JobState.Succeeded, "p1"));
        Fails("P1", "node 1 lost", LossChecker.Check, made);
    }

    [Fact]
    public void P1_one_node_is_enough_to_lose_a_job()
    {
        Made made = WholeLife();
        made.Enqueue(2, (50, 60), 9);
        made.Final(1, (1, JobState.Succeeded, "p1"), (2, JobState.Dead, "p2"));
        Fails("P1", "node 2 lost", LossChecker.Check, made);
    }

    [Fact]
    public void P1_a_job_whose_ack_is_open_may_be_forgotten()
    {
        Made made = WholeLife();
        made.Enqueue(2, (50, 60), 9);
        made.Ack(2, (70, 80), null, 7);
        LossChecker.Check(made.Record());
    }

    [Fact]
    public void P1_what_nobody_asked_for_is_from_nowhere()
    {
        Made made = WholeLife();
        made.Final(2, (1, JobState.Succeeded, "p1"), (5, JobState.Dead, "ghost"));
        Fails("P1", "nobody asked for", LossChecker.Check, made);
        made = WholeLife();
        made.Lease(3, (90, 95), 12, 5, payload: "ghost");
        Fails("P1", "nobody asked for", LossChecker.Check, made);
    }

    [Fact]
    public void P1_what_was_refused_never_happens()
    {
        Made made = WholeLife();
        made.Enqueue(2, (50, 60), null).End = OperationEnd.NotApplied;
        made.Final(2, (1, JobState.Succeeded, "p1"), (2, JobState.Dead, "p2"));
        Fails("P1", "though refused", LossChecker.Check, made);
        made = WholeLife();
        made.Enqueue(2, (50, 60), 9).Code = ResultCode.UniqueConflict;
        made.Final(2, (1, JobState.Succeeded, "p1"), (2, JobState.Dead, "p2"));
        Fails("P1", "though refused", LossChecker.Check, made);
    }

    [Fact]
    public void P1_a_payload_changes_only_as_asked()
    {
        Made made = WholeLife();
        made.Enqueue(2, (50, 60), 9);
        made.OnLease(OperationKind.Reschedule, 2, (70, 80), 10, 4, newPayload: "new");
        made.Final(1, (1, JobState.Succeeded, "p1"), (2, JobState.Dead, "new"));
        made.Final(2, (1, JobState.Succeeded, "p1"), (2, JobState.Dead, "new"));
        LossChecker.Check(made.Record());
        made.Final(2, (1, JobState.Succeeded, "new"), (2, JobState.Dead, "new"));
        Fails("P1", "holds new", LossChecker.Check, made);
    }

    [Fact]
    public void P1_succeeded_and_cancelled_come_from_an_ack_and_a_cancel()
    {
        Made made = WholeLife();
        made.Enqueue(2, (50, 60), 9);
        made.Final(1, (1, JobState.Succeeded, "p1"), (2, JobState.Succeeded, "p2"));
        made.Final(2);
        Fails("P1", "though nobody asked for it", LossChecker.Check, Without(made, 2));
    }

    [Fact]
    public void P2_fences_rise_along_the_log()
    {
        Made made = WholeLife();
        made.Enqueue(2, (50, 60), 9);
        made.Lease(2, (70, 80), 10, fence: 1);
        Fails("P2", "does not rise", FenceChecker.Check, made);
    }

    [Fact]
    public void P2_nothing_works_with_an_old_fence()
    {
        foreach (OperationKind kind in new[] { OperationKind.Ack, OperationKind.Nack, OperationKind.Extend })
        {
            Made made = TwoLeases(secondAtMs: 400);
            made.OnLease(kind, 2, (410, 420), 12, fence: 2, delayMs: 10);
            Fails("P2", "took effect after", FenceChecker.Check, made);
        }

        Made lost = TwoLeases(secondAtMs: 400);
        lost.Ack(2, (410, 420), 12, fence: 2, status: TokenStatus.LeaseLost);
        FenceChecker.Check(lost.Record());
    }

    [Fact]
    public void P2_a_lease_lasts_nine_tenths_of_its_time_by_the_harness()
    {
        FenceChecker.Check(TwoLeases(secondAtMs: 160).Record());
        Fails("P2", "too early", FenceChecker.Check, TwoLeases(secondAtMs: 120));
    }

    [Fact]
    public void P2_an_extended_lease_lasts_longer_and_a_shortened_one_does_not()
    {
        Made longer = TwoLeases(secondAtMs: 300, beforeSecond: made => made.OnLease(OperationKind.Extend, 2, (90, 95), 10, 2, delayMs: 1_000));
        Fails("P2", "too early", FenceChecker.Check, longer);
        FenceChecker.Check(TwoLeases(
            secondAtMs: 120, beforeSecond: made => made.OnLease(OperationKind.Extend, 2, (90, 95), 10, 2, delayMs: 5)).Record());
        // An open one may have shortened it.
        FenceChecker.Check(TwoLeases(
            secondAtMs: 120, beforeSecond: made => made.OnLease(OperationKind.Extend, 2, (90, 95), null, 2, delayMs: 5)).Record());
    }

    [Fact]
    public void P2_what_was_handed_back_may_be_granted_at_once()
    {
        foreach (OperationKind kind in new[] { OperationKind.Nack, OperationKind.Release, OperationKind.Reschedule })
        {
            FenceChecker.Check(TwoLeases(secondAtMs: 110, beforeSecond: made => made.OnLease(kind, 2, (90, 95), 10, 2)).Record());
            FenceChecker.Check(TwoLeases(secondAtMs: 110, beforeSecond: made => made.OnLease(kind, 2, (90, 95), null, 2)).Record());
        }

        Made refused = TwoLeases(
            secondAtMs: 110, beforeSecond: made => made.OnLease(OperationKind.Nack, 2, (90, 95), 10, 2, TokenStatus.LeaseLost));
        Fails("P2", "too early", FenceChecker.Check, refused);
    }

    [Fact]
    public void P3_nothing_follows_an_ack()
    {
        Made granted = WholeLife();
        granted.Lease(1, (400, 410), 20, 9);
        Fails("P3", "after", AckFinalChecker.Check, granted);
        Made seen = WholeLife();
        seen.Read(1, (400, 410), 20, JobState.Ready, 5);
        Fails("P3", "sees Ready", AckFinalChecker.Check, seen);
        Made nacked = WholeLife();
        nacked.OnLease(OperationKind.Nack, 1, (400, 410), 20, 1);
        Fails("P3", "took effect", AckFinalChecker.Check, nacked);
        Made stored = WholeLife();
        stored.Final(2, (1, JobState.Ready, "p1"));
        Fails("P3", "is Ready on node 2", AckFinalChecker.Check, stored);
        Made again = WholeLife();
        again.Ack(1, (400, 410), 20, 1);
        AckFinalChecker.Check(again.Record());
    }

    [Fact]
    public void P4_two_jobs_do_not_hold_a_key_at_once()
    {
        Made made = new();
        made.Enqueue(1, (0, 10), 1, unique: "u");
        made.Enqueue(2, (20, 30), 2, unique: "u");
        Fails("P4", "holds the key", UniqueChecker.Check, made);
        made = new();
        made.Enqueue(1, (0, 10), 1, unique: "u");
        made.Enqueue(2, (20, 30), 2, unique: "u", queue: "other");
        UniqueChecker.Check(made.Record());
    }

    [Fact]
    public void P4_a_call_that_was_given_up_may_be_applied_later()
    {
        Made made = new();
        made.Enqueue(1, (0, 10), 1, unique: "u", until: UniqueUntil.Window, windowMs: 1_000);
        Operation open = made.Enqueue(2, (20, 30), 2, unique: "u");
        Fails("P4", "holds the key", UniqueChecker.Check, made);
        open.End = OperationEnd.Info;
        open.FoundInLog = true;
        UniqueChecker.Check(made.Record());
    }

    [Fact]
    public void P4_a_lease_request_without_an_answer_ends_no_hold_where_the_log_shows_that_it_got_nothing()
    {
        Made made = new();
        made.Enqueue(1, (0, 10), 1, unique: "u");
        made.Lease(9, (12, 14), null, 1);
        made.Enqueue(2, (20, 30), 2, unique: "u");
        RunRecord unknown = made.Record();
        UniqueChecker.Check(unknown);
        var known = new RunRecord(unknown.History) { Truth = Truth.Replay(unknown.History, [[]]) };
        Assert.Contains("holds the key", Assert.Throws<PropertyViolatedException>(() => UniqueChecker.Check(known)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void P4_how_long_a_key_is_held_is_the_holders_choice()
    {
        Made leased = new();
        leased.Enqueue(1, (0, 10), 1, unique: "u", until: UniqueUntil.Leased);
        leased.Lease(1, (20, 30), 2, 1);
        leased.Enqueue(2, (40, 50), 3, unique: "u");
        UniqueChecker.Check(leased.Record());
        Made finished = new();
        finished.Enqueue(1, (0, 10), 1, unique: "u");
        finished.Lease(1, (20, 30), 2, 1, leaseMs: 1_000);
        finished.Enqueue(2, (40, 50), 3, unique: "u");
        Fails("P4", "holds the key", UniqueChecker.Check, finished);
        Made acked = new();
        acked.Enqueue(1, (0, 10), 1, unique: "u");
        acked.Lease(1, (20, 30), 2, 1, leaseMs: 1_000);
        acked.Ack(1, (32, 45), 3, 1);
        acked.Enqueue(2, (40, 50), 4, unique: "u");
        UniqueChecker.Check(acked.Record());
        foreach (int at in new[] { 300, 1_000 })
        {
            Made window = new();
            window.Enqueue(1, (0, 10), 1, unique: "u", until: UniqueUntil.Window, windowMs: 1_000);
            window.Lease(1, (20, 30), 2, 1);
            window.Ack(1, (32, 45), 3, 1);
            window.Enqueue(2, (at, at + 10), 4, unique: "u");
            if (at == 300) Fails("P4", "holds the key", UniqueChecker.Check, window);
            else UniqueChecker.Check(window.Record());
        }
    }

    [Fact]
    public void P4_an_extend_may_make_the_last_lease_shorter()
    {
        foreach ((long extendMs, bool holds) in new[] { (20L, true), (5_000L, false) })
        {
            Made made = new();
            made.Enqueue(1, (0, 10), 1, unique: "u");
            made.Lease(1, (20, 30), 2, 1, leaseMs: 5_000);
            made.OnLease(OperationKind.Extend, 1, (40, 50), 3, 1, delayMs: extendMs);
            made.Enqueue(2, (300, 310), 4, unique: "u");
            if (holds) UniqueChecker.Check(made.Record());
            else Fails("P4", "holds the key", UniqueChecker.Check, made);
        }

        Made open = new();
        open.Enqueue(1, (0, 10), 1, unique: "u");
        open.Lease(1, (20, 30), 2, 1, leaseMs: 5_000);
        open.OnLease(OperationKind.Extend, 1, (40, 50), null, 1, delayMs: 5_000);
        open.Enqueue(2, (300, 310), 4, unique: "u");
        UniqueChecker.Check(open.Record());
    }

    [Fact]
    public void P4_a_duplicate_names_the_holder()
    {
        Made made = new();
        made.Enqueue(1, (0, 10), 1, unique: "u");
        made.Enqueue(1, (20, 30), 2, payload: "other", unique: "u", created: false);
        UniqueChecker.Check(made.Record());
        made.Enqueue(7, (40, 50), 3, payload: "third", unique: "u", created: false);
        Fails("P4", "nobody made", UniqueChecker.Check, made);
        Made finished = new();
        finished.Enqueue(1, (0, 10), 1, unique: "u");
        finished.Lease(1, (20, 30), 2, 1);
        finished.Ack(1, (32, 45), 3, 1);
        finished.Enqueue(1, (50, 60), 4, payload: "other", unique: "u", created: false);
        Fails("P4", "was finished", UniqueChecker.Check, finished);
    }

    [Fact]
    public void P5_no_grant_before_its_time()
    {
        foreach ((int at, bool holds) in new[] { (100, false), (1_000, true) })
        {
            Made made = new();
            made.Enqueue(1, (0, 10), 1, delayMs: 1_000);
            made.Lease(1, (at, at + 10), 2, 1);
            if (holds) EarlyChecker.Check(made.Record());
            else Fails("P5", "too early", record => EarlyChecker.Check(record), made);
        }

        Made ahead = new();
        ahead.Enqueue(1, (0, 10), 1, delayMs: 1_000);
        ahead.Lease(1, (100, 110), 2, 1, pullAheadMs: 2_000);
        EarlyChecker.Check(ahead.Record());
    }

    [Fact]
    public void P5_a_job_is_left_alone_after_a_nack_release_or_reschedule_with_a_delay()
    {
        foreach (OperationKind kind in new[] { OperationKind.Nack, OperationKind.Release, OperationKind.Reschedule })
        {
            Made made = TwoLeases(secondAtMs: 300, beforeSecond: made => made.OnLease(kind, 2, (90, 95), 10, 2, delayMs: 1_000));
            Fails("P5", "too early", record => EarlyChecker.Check(record), made);
            made = TwoLeases(secondAtMs: 1_100, beforeSecond: made => made.OnLease(kind, 2, (90, 95), 10, 2, delayMs: 1_000));
            EarlyChecker.Check(made.Record());
        }
    }

    [Theory]
    [InlineData(1, 1_000, true)]
    [InlineData(1, 900, false)]
    [InlineData(3, 4_000, true)]
    [InlineData(3, 3_000, false)]
    [InlineData(9, 5_000, true)]
    public void P5_a_nack_without_a_delay_waits_for_the_back_off(long attempt, int backOffMs, bool holds)
    {
        // By the harness's clock nine tenths of it.
        int secondAtMs = 100 + (backOffMs * 9 / 10);
        var retry = new RetryPolicy(BackoffKind.Exponential, 1_000, 5_000, 200_000);
        Made made = new();
        made.Enqueue(2, (50, 60), 8, retry: retry);
        made.Lease(2, (70, 80), 9, 2, attempt: attempt);
        made.OnLease(OperationKind.Nack, 2, (95, 98), 10, 2);
        made.Lease(2, (secondAtMs, secondAtMs + 5), 11, 3, attempt: attempt + 1, pullAheadMs: 10_000);
        if (holds) EarlyChecker.Check(made.Record());
        else Fails("P5", "too early", record => EarlyChecker.Check(record), made);
    }

    [Fact]
    public void P5_a_job_without_a_policy_has_the_built_in_one_unless_its_queue_may_have_one()
    {
        Made made = TwoLeases(secondAtMs: 4_000, beforeSecond: made => made.OnLease(OperationKind.Nack, 2, (90, 95), 10, 2));
        Fails("P5", "too early", record => EarlyChecker.Check(record), made);
        made.Add(new Operation { Id = 9, Kind = OperationKind.PutQueue, Shard = default, InvokedNs = 1, ReturnedNs = 2, Queue = "q" }, 1);
        EarlyChecker.Check(made.Record());
    }

    [Fact]
    public void P6_a_call_is_not_behind_one_that_had_returned()
    {
        Made made = WholeLife();
        made.Read(1, (400, 410), 2, JobState.Leased, 2);
        Fails("P6", "had returned", ReadChecker.Check, made);
        made = WholeLife();
        made.Read(1, (400, 410), 2, JobState.Leased, 2, stale: true);
        ReadChecker.Check(made.Record());
        made = WholeLife();
        made.Read(1, (1, 410), 1, JobState.Ready, 1);
        ReadChecker.Check(made.Record());
        made = WholeLife();
        made.Read(1, (400, 410), 0, JobState.Succeeded, 3);
        Fails("P6", "no index", ReadChecker.Check, made);
    }

    [Fact]
    public void P6_a_listing_over_pages_names_each_queue_once()
    {
        static Made Made(params string[][] pages)
        {
            Made made = new();
            foreach ((int at, string name) in new[] { (0, "a"), (20, "b"), (40, "c") }) made.Enqueue(at + 1, (at, at + 5), at + 1, queue: name);
            made.Enqueue(90, (110, 120), 99, queue: "d");
            for (int i = 0; i < pages.Length; i++)
            {
                made.Add(new Operation
                {
                    Id = 10 + i,
                    Kind = OperationKind.ListQueues,
                    Shard = default,
                    InvokedNs = (100 + (10 * i)) * 1_000_000,
                    ReturnedNs = (105 + (10 * i)) * 1_000_000,
                    FirstPage = 10,
                    After = i == 0 ? null : pages[i - 1][^1],
                    Limit = 2,
                    Names = pages[i],
                }, 70 + i);
            }

            return made;
        }

        ListingChecker.Check(Made(["a", "b"], ["c"]).Record());
        ListingChecker.Check(Made(["a", "b"], ["c", "d"], []).Record());
        // Not at its end yet: the last page is full.
        ListingChecker.Check(Made(["a", "b"]).Record());
        Fails("P6", "is not listed", ListingChecker.Check, Made(["a", "c"], []));
        Fails("P6", "is not listed", ListingChecker.Check, Made(["a"]));
        Fails("P6", "the listing was at b", ListingChecker.Check, Made(["a", "b"], ["b", "c"], []));
        Fails("P6", "2 at most", ListingChecker.Check, Made(["a", "b", "c"]));
    }

    [Theory]
    [InlineData(1_100, 0, true)]
    [InlineData(1_101, 0, false)]
    [InlineData(1_101, 10, true)]
    public void P5_a_reschedule_with_a_time_is_not_granted_before_it(long runAtMs, long pullAheadMs, bool holds)
    {
        Made made = new();
        made.Enqueue(2, (50, 60), 8);
        made.Lease(2, (70, 80), 9, 2);
        made.OnLease(OperationKind.Reschedule, 2, (90, 95), 10, 2, runAtMs: runAtMs);
        made.Lease(2, (100, 110), 11, 3, pullAheadMs: pullAheadMs);
        RunRecord record = made.Record(stamps: index => index * 100);
        if (holds) EarlyChecker.Check(record);
        else Fails("P5", "before the time", record => EarlyChecker.Check(record), record);
    }

    [Fact]
    public void P8_versions_never_fall_and_states_go_ways_that_exist()
    {
        Made falls = new();
        falls.Read(1, (0, 10), 5, JobState.Leased, 4);
        falls.Read(1, (20, 30), 6, JobState.Ready, 3);
        Fails("P8", "shows version 3", MonotoneChecker.Check, falls);
        Made client = new();
        client.Read(1, (0, 10), 6, JobState.Leased, 4, client: 1);
        client.Read(1, (20, 30), 5, JobState.Ready, 3, client: 1);
        Fails("P8", "the same client saw", MonotoneChecker.Check, client);
        Made two = new();
        two.Read(1, (0, 10), 6, JobState.Leased, 4, client: 1);
        two.Read(1, (20, 30), 5, JobState.Ready, 3, client: 2);
        MonotoneChecker.Check(two.Record());
        Made same = new();
        same.Read(1, (0, 10), 5, JobState.Leased, 4);
        same.Read(1, (20, 30), 6, JobState.Ready, 4);
        Fails("P8", "version 4 is", MonotoneChecker.Check, same);
        Made risen = new();
        risen.Read(1, (0, 10), 5, JobState.Dead, 4);
        risen.Read(1, (20, 30), 6, JobState.Ready, 5);
        Fails("P8", "became Ready", MonotoneChecker.Check, risen);
    }

    [Fact]
    public void P9_a_key_has_one_outcome()
    {
        Made made = new();
        made.Enqueue(1, (0, 10), 1, key: "k", body: "b");
        made.Enqueue(1, (20, 30), 2, key: "k", body: "b", created: true, replayed: true);
        IdempotencyChecker.Check(made.Record());
        made.Enqueue(2, (40, 50), 3, payload: "p1", key: "k", body: "b");
        Fails("P9", "was new to", IdempotencyChecker.Check, made);
        Made other = new();
        other.Enqueue(1, (0, 10), 1, key: "k", body: "b");
        other.Enqueue(2, (20, 30), 2, key: "k", body: "b", replayed: true);
        Fails("P9", "other jobs", IdempotencyChecker.Check, other);
        Made body = new();
        body.Enqueue(1, (0, 10), 1, key: "k", body: "b");
        body.Enqueue(1, (20, 30), 2, key: "k", body: "another", replayed: true);
        Fails("P9", "another body", IdempotencyChecker.Check, body);
    }

    [Fact]
    public void P9_a_repeat_of_a_call_on_a_lease_is_told_the_first_outcome()
    {
        foreach (OperationKind kind in new[] { OperationKind.Nack, OperationKind.Extend, OperationKind.Release, OperationKind.Reschedule })
        {
            Made made = TwoLeases(secondAtMs: 300, beforeSecond: made => made.OnLease(kind, 2, (90, 95), 10, 2, key: "k", body: "b"));
            made.OnLease(kind, 2, (400, 410), 12, 2, key: "k", body: "b", replayed: true, expiresAtMs: 95);
            IdempotencyChecker.Check(made.Record());
            made.OnLease(kind, 2, (420, 430), 13, 2, TokenStatus.LeaseLost, key: "k", body: "b", replayed: true, expiresAtMs: 95);
            Fails("P9", "something else of its leases", IdempotencyChecker.Check, made);
            Made twice = TwoLeases(secondAtMs: 300, beforeSecond: made => made.OnLease(kind, 2, (90, 95), 10, 2, key: "k", body: "b"));
            twice.OnLease(kind, 2, (400, 410), 12, 2, TokenStatus.LeaseLost, key: "k", body: "b");
            Fails("P9", "was new to", IdempotencyChecker.Check, twice);
        }

        Made extended = TwoLeases(secondAtMs: 300, beforeSecond: made => made.OnLease(OperationKind.Extend, 2, (90, 95), 10, 2, key: "k", body: "b"));
        extended.OnLease(OperationKind.Extend, 2, (400, 410), 12, 2, key: "k", body: "b", replayed: true, expiresAtMs: 900);
        Fails("P9", "something else of its leases", IdempotencyChecker.Check, extended);
    }

    [Fact]
    public void P2_a_repeated_extend_does_not_extend_again()
    {
        Made made = TwoLeases(secondAtMs: 300, beforeSecond: made =>
        {
            made.OnLease(OperationKind.Extend, 2, (82, 84), 10, 2, delayMs: 5_000, key: "k", body: "b");
            made.OnLease(OperationKind.Extend, 2, (86, 88), 10, 2, delayMs: 50);
            made.OnLease(OperationKind.Extend, 2, (90, 95), 10, 2, delayMs: 5_000, key: "k", body: "b", replayed: true);
        });
        FenceChecker.Check(made.Record());
    }

    [Fact]
    public void P9_a_request_makes_one_job()
    {
        Made twice = new();
        twice.Enqueue(1, (0, 10), 1, payload: "p");
        twice.Enqueue(2, (0, 10), 2, payload: "p");
        Fails("P9", "p is", IdempotencyChecker.Check, twice);
        Made stored = WholeLife();
        stored.Final(2, (1, JobState.Succeeded, "p1"), (4, JobState.Dead, "p1"));
        Fails("P9", "was enqueued once", IdempotencyChecker.Check, stored);
    }

    [Fact]
    public void P11_life_comes_back_and_all_nodes_end_alike()
    {
        Fails("P11", "nothing was acknowledged", LivenessChecker.Check, WholeLife().Record(healedMs: 1_000, recoveryMs: 10));
        Made open = WholeLife();
        open.Final(2, (1, JobState.Leased, "p1"));
        Fails("P11", "still Leased", LivenessChecker.Check, open);
        Made less = WholeLife();
        less.Final(2);
        Fails("P11", "has 1 jobs", LivenessChecker.Check, less);
        Made other = WholeLife();
        other.Final(2, (1, JobState.Dead, "p1"));
        Fails("P11", "is Succeeded", LivenessChecker.Check, other);
    }

    private static Made WholeLife()
    {
        Made made = new();
        made.Enqueue(1, (0, 10), 1);
        made.Lease(1, (20, 30), 2, 1);
        made.Read(1, (32, 34), 2, JobState.Leased, 2);
        made.Ack(1, (36, 40), 3, 1);
        made.Final(1, (1, JobState.Succeeded, "p1"));
        made.Final(2, (1, JobState.Succeeded, "p1"));
        return made;
    }

    /// <summary>Job 2 is leased with fence 2 for 100 ms from 70 to 80 ms on, and with fence 3 later.</summary>
    private static Made TwoLeases(int secondAtMs, Action<Made>? beforeSecond = null)
    {
        Made made = new();
        made.Enqueue(2, (50, 60), 8);
        made.Lease(2, (70, 80), 9, 2);
        beforeSecond?.Invoke(made);
        made.Lease(2, (secondAtMs, secondAtMs + 5), 11, 3, attempt: 2);
        return made;
    }

    [Theory]
    [InlineData(null, 500, false)]
    [InlineData(10_000L, 500, false)]
    [InlineData(100L, 500, true)]
    [InlineData(100L, 60, false)]
    public void P4_settings_end_a_hold_only_by_the_age_that_they_give(long? ageMs, int secondAtMs, bool holds)
    {
        var made = new Made();
        Operation put = made.Add(new Operation { Id = 1, Kind = OperationKind.PutQueue, Shard = default, InvokedNs = 1, ReturnedNs = 2, Queue = "q" }, 1);
        put.ExpireAfterMs = ageMs;
        made.Enqueue(1, (10, 20), 5, unique: "u");
        made.Enqueue(2, (secondAtMs, secondAtMs + 5), 7, unique: "u");
        if (holds) UniqueChecker.Check(made.Record());
        else Fails("P4", "holds the key until", UniqueChecker.Check, made);
    }

    /// <summary>The same with one node only.</summary>
    private static Made Without(Made made, int node)
    {
        made.Forget(node);
        return made;
    }

    private static void Fails(string property, string says, Action<RunRecord> check, Made made) => Fails(property, says, check, made.Record());

    private static void Fails(string property, string says, Action<RunRecord> check, RunRecord record)
    {
        var violated = Assert.Throws<PropertyViolatedException>(() => check(record));
        Assert.Equal(property, violated.Property);
        Assert.Contains(says, violated.Message, StringComparison.Ordinal);
    }
}
