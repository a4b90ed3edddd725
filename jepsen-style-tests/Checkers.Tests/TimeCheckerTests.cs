using RaftQueue.Primitives;

namespace RaftQueue.Checkers.Tests;

public sealed class TimeCheckerTests
{
    private const long Start = 1_000_000;

    private static readonly ShardId Shard = new(0);
    private static readonly NodeId One = new(1);

    private readonly TimeChecker _checker = new();

    [Fact]
    public void A_term_begins_at_the_last_stamp_or_at_the_median_of_a_majority()
    {
        Begins(Start, last: Start - 500);
        Begins(Start + 20, last: Start - 500);
        Fails(() => Begins(Start - 1, last: Start - 500), "1 ms before what a majority's clocks show");
        Fails(() => Begins(Start + 21, last: Start - 500), "1 ms after what a majority's clocks show");
        // The last leader was ahead: time waits for nobody, but it does not go back.
        Begins(Start + 9_000, last: Start + 9_000);
        Fails(() => Begins(Start + 8_999, last: Start + 9_000), "1 ms before the last stamp");
        Fails(() => Begins(Start + 9_001, last: Start + 9_000), "8981 ms after what a majority's clocks show");
        Begins(Start + 9_001, last: null);
    }

    [Fact]
    public void It_is_slewed_by_a_tenth_at_most_between_any_two_entries()
    {
        Begins(Start, last: 0);
        Stamps(Start + 1_100, afterMs: 1_000);
        Stamps(Start + 2_000, afterMs: 2_000);
        Fails(() => Stamps(Start + 3_112, afterMs: 3_000), "1112 ms after the last one, 1000 ms later: 1 ms more than corrections may add");
        Stamps(Start + 3_110, afterMs: 3_000);
        Fails(() => Stamps(Start + 3_999, afterMs: 4_000), "1 ms less than corrections may leave");
        Stamps(Start + 4_000, afterMs: 4_000);
    }

    /// <summary>Many small steps are no more than one large one.</summary>
    [Fact]
    public void Small_steps_add_up()
    {
        Begins(Start, last: 0);
        long at = 0;
        Fails(
            () =>
            {
                while (at < 1_000) Stamps(Start + (++at * 13 / 10), at);
            },
            "more than corrections may add");
        Assert.InRange(at, 50, 80);
    }

    [Fact]
    public void A_clock_that_jumps_back_shows_by_stamps_that_stand_still()
    {
        Begins(Start, last: 0);
        Stamps(Start + 1_000, afterMs: 1_000);
        Stamps(Start + 1_000, afterMs: 1_010);
        Fails(() => Stamps(Start + 1_000, afterMs: 1_020), "less than corrections may leave");
        Fails(() => Stamps(Start + 999, afterMs: 1_000), "time goes back");
    }

    /// <summary>The first thing after a pause may be a membership, stamped before the pause is corrected.</summary>
    [Fact]
    public void The_correction_of_a_pause_may_come_at_once()
    {
        Begins(Start, last: 0);
        Stamps(Start + 10_000, afterMs: 10_000, isCorrected: false);
        Stamps(Start + 11_000, afterMs: 10_000);
        Fails(() => Stamps(Start + 11_023, afterMs: 10_010), "1 ms more than corrections may add");
    }

    [Fact]
    public void Terms_and_shards_are_apart_and_what_was_not_seen_to_begin_is_not_judged()
    {
        Begins(Start, last: 0);
        _checker.Stamps(Shard, 4, One, Start + 50_000, 0, isCorrected: true);
        _checker.Stamps(Shard, 3, new NodeId(2), Start + 50_000, 0, isCorrected: true);
        _checker.Stamps(new ShardId(1), 3, One, Start + 50_000, 0, isCorrected: true);
        Fails(() => Stamps(Start + 50_000, afterMs: 1), "more than corrections may add");
    }

    private void Begins(long stampMs, long? last) => _checker.Begins(Shard, 3, One, stampMs, 0, last, leastMs: Start, mostMs: Start + 20);

    private void Stamps(long stampMs, long afterMs, bool isCorrected = true) => _checker.Stamps(Shard, 3, One, stampMs, afterMs * 1_000, isCorrected);

    private static void Fails(Action act, string says)
    {
        var violated = Assert.Throws<PropertyViolatedException>(act);
        Assert.Equal("P5", violated.Property);
        Assert.Contains(says, violated.Message, StringComparison.Ordinal);
    }
}
