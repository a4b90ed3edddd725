using RaftQueue.Primitives;

namespace RaftQueue.Checkers.Tests;

public sealed class QuorumCheckerTests
{
    private static readonly ShardId Shard = new(0);
    private static readonly NodeId One = new(1);
    private static readonly NodeId Two = new(2);
    private static readonly NodeId Three = new(3);

    /// <summary>Node 3 comes in anew: a joint membership of three and two.</summary>
    private static readonly Halves Joint = new([(One, Life(1)), (Two, Life(2)), (Three, Life(9))], [(One, Life(1)), (Two, Life(2))]);

    private static readonly Halves Simple = new([(One, Life(1)), (Two, Life(2)), (Three, Life(3))], []);

    private readonly QuorumChecker _checker = new();

    [Fact]
    public void A_leader_has_the_votes_of_a_majority_in_its_term()
    {
        _checker.Votes(Shard, 3, One, Two, Life(2));
        _checker.Leads(Shard, 3, One, Simple);
        Fails(() => _checker.Leads(Shard, 4, One, Simple), "leads term 4 of shard 0 without");
        Fails(() => _checker.Leads(new ShardId(1), 3, One, Simple), "without the votes");
        Fails(() => _checker.Leads(Shard, 3, Three, Simple), "without the votes");
    }

    [Fact]
    public void The_vote_of_another_life_does_not_count()
    {
        _checker.Votes(Shard, 3, One, Two, Life(8));
        Fails(() => _checker.Leads(Shard, 3, One, Simple), "without the votes");
    }

    [Fact]
    public void Of_a_joint_membership_both_halves_vote()
    {
        _checker.Votes(Shard, 3, One, Three, Life(9));
        Fails(() => _checker.Leads(Shard, 3, One, Joint), "without the votes");
        _checker.Votes(Shard, 3, One, Two, Life(2));
        _checker.Leads(Shard, 3, One, Joint);
    }

    [Fact]
    public void What_is_committed_was_acknowledged_by_a_majority_of_all_voters()
    {
        Assert.False(_checker.MayCommit(Shard, 3, One, ownDurable: 12, index: 12, Simple));
        _checker.Acknowledges(Shard, 3, Two, Life(2), 11, durable: 11);
        _checker.Acknowledges(Shard, 2, Two, Life(2), 12, durable: 12);
        Assert.False(_checker.MayCommit(Shard, 3, One, ownDurable: 12, index: 12, Simple));
        Assert.True(_checker.MayCommit(Shard, 3, One, ownDurable: 11, index: 11, Simple));
        Assert.False(_checker.MayCommit(Shard, 3, One, ownDurable: 10, index: 11, Simple));
        // Without its own disk, by the two others.
        _checker.Acknowledges(Shard, 3, Three, Life(3), 11, durable: 11);
        Assert.True(_checker.MayCommit(Shard, 3, One, ownDurable: 10, index: 11, Simple));
    }

    [Fact]
    public void Of_a_joint_membership_both_halves_acknowledge()
    {
        _checker.Acknowledges(Shard, 3, Three, Life(9), 12, durable: 12);
        Assert.False(_checker.MayCommit(Shard, 3, One, ownDurable: 12, index: 12, Joint));
        _checker.Acknowledges(Shard, 3, Two, Life(2), 12, durable: 12);
        Assert.True(_checker.MayCommit(Shard, 3, One, ownDurable: 12, index: 12, Joint));
    }

    /// <summary>Its entry at 12 and the one that ends it at 13 are taken for committed in one step.</summary>
    [Fact]
    public void Also_of_a_joint_membership_that_comes_and_goes_in_one_step_both_halves_acknowledge()
    {
        Halves after = Joint with { Outgoing = [] };
        Halves old = new(Joint.Outgoing, []);
        _checker.Acknowledges(Shard, 3, Three, Life(9), 13, durable: 13);
        Fails(
            () => _checker.Commits(Shard, 3, One, ownDurable: 13, from: 11, to: 13, [(1, old), (12, Joint), (13, after)]),
            "takes 13 for committed without a majority by the membership at 12");
        _checker.Acknowledges(Shard, 3, Two, Life(2), 12, durable: 12);
        _checker.Commits(Shard, 3, One, ownDurable: 13, from: 11, to: 13, [(1, old), (12, Joint), (13, after)]);
    }

    [Fact]
    public void The_end_is_counted_by_the_newest_membership_in_front_of_it_or_by_a_later_one()
    {
        Halves old = new(Joint.Outgoing, []);
        _checker.Acknowledges(Shard, 3, Three, Life(9), 12, durable: 12);
        Fails(() => _checker.Commits(Shard, 3, One, 12, from: 11, to: 12, [(1, old)]), "without a majority by the membership at 1, (1:0000000000000001 2:0000000000000002)");
        // Only the incoming half has it: that is enough once the membership is theirs alone.
        Fails(() => _checker.Commits(Shard, 3, One, 12, from: 11, to: 12, [(10, Joint)]), "by the membership at 10");
        _checker.Commits(Shard, 3, One, 12, from: 11, to: 12, [(10, Joint), (13, Joint with { Outgoing = [] })]);
        _checker.Commits(Shard, 3, One, 12, from: 11, to: 12, [(5, Joint), (10, Joint with { Outgoing = [] })]);
        // What was replaced before the end counts nothing any more.
        Halves alone = new([(One, Life(1))], []);
        Fails(() => _checker.Commits(Shard, 3, One, 14, from: 13, to: 14, [(12, alone), (13, Simple)]), "takes 14 for committed");
        _checker.Commits(Shard, 3, One, 14, from: 13, to: 14, [(12, Simple), (13, alone)]);
    }

    [Fact]
    public void What_is_acknowledged_is_durable()
    {
        _checker.Acknowledges(Shard, 3, Two, Life(2), 11, durable: 12);
        _checker.Acknowledges(Shard, 3, Two, Life(2), 12, durable: null);
        Fails(() => _checker.Acknowledges(Shard, 3, Two, Life(2), 13, durable: 12), "acknowledges shard 0 up to 13 in term 3, and has it durably up to 12");
    }

    [Fact]
    public void Copies_are_counted_of_entries_of_the_own_term()
    {
        QuorumChecker.Counts(Shard, 3, One, 12, 3);
        Fails(() => QuorumChecker.Counts(Shard, 3, One, 12, 2), "counts the copies of entry 12 of term 2");
    }

    private static Incarnation Life(ulong number) => new(number);

    private static void Fails(Action act, string says)
    {
        var violated = Assert.Throws<PropertyViolatedException>(act);
        Assert.Equal("P10", violated.Property);
        Assert.Contains(says, violated.Message, StringComparison.Ordinal);
    }
}
