using RaftQueue.Primitives;

namespace RaftQueue.Checkers.Tests;

public sealed class RaftCheckerTests
{
    private static readonly ShardId Shard = new(0);
    private static readonly NodeId One = new(1);
    private static readonly NodeId Two = new(2);

    private readonly RaftChecker _checker = new();

    [Fact]
    public void A_term_has_one_leader()
    {
        _checker.Leads(Shard, 3, One);
        _checker.Leads(Shard, 3, One);
        _checker.Leads(Shard, 4, Two);
        _checker.Leads(new ShardId(1), 3, Two);
        Fails(() => _checker.Leads(Shard, 3, Two), "lead term 3");
    }

    [Fact]
    public void A_vote_is_given_once_also_over_a_restart()
    {
        var life = new Incarnation(7);
        _checker.Promises(Shard, life, One, 3, NodeId.None);
        _checker.Promises(Shard, life, One, 3, Two);
        _checker.Promises(Shard, life, One, 3, Two);
        Fails(() => _checker.Promises(Shard, life, One, 3, One), "voted for 2 and for 1");
        // A wiped node is another.
        _checker.Promises(Shard, new Incarnation(8), One, 3, One);
    }

    [Fact]
    public void A_vote_that_was_forgotten_still_counts()
    {
        var life = new Incarnation(7);
        _checker.Promises(Shard, life, One, 3, Two);
        _checker.Promises(Shard, life, One, 3, NodeId.None);
        Fails(() => _checker.Promises(Shard, life, One, 3, One), "voted for 2 and for 1");
    }

    [Fact]
    public void Terms_never_fall()
    {
        var life = new Incarnation(7);
        _checker.Promises(Shard, life, One, 3, Two);
        Fails(() => _checker.Promises(Shard, life, One, 2, NodeId.None), "back to 2");
    }

    [Fact]
    public void Logs_match()
    {
        _checker.Holds(Shard, One, 1, 5, 50, 40);
        _checker.Holds(Shard, Two, 1, 5, 50, 40);
        _checker.Holds(Shard, Two, 2, 5, 51, 40);
        Fails(() => _checker.Holds(Shard, Two, 1, 5, 52, 40), "another entry 5");
        Fails(() => _checker.Holds(Shard, Two, 1, 5, 50, 41), "in front of 5");
    }

    [Fact]
    public void What_is_committed_stays()
    {
        _checker.Committed(Shard, One, 5, 50);
        _checker.Committed(Shard, Two, 5, 50);
        Fails(() => _checker.Committed(Shard, Two, 5, 51), "committed another entry 5");
    }

    [Fact]
    public void One_index_is_one_state()
    {
        _checker.Applied(Shard, One, 5, 50);
        Fails(() => _checker.Applied(Shard, Two, 5, 51), "state hash");
        _checker.Pages(Shard, One, 5, 50);
        Assert.False(_checker.Pages(Shard, One, 5, 50));
        Assert.True(_checker.Pages(Shard, Two, 5, 50));
        Fails(() => _checker.Pages(Shard, Two, 5, 51), "node 2 has other pages at index 5");
        Fails(() => _checker.Pages(Shard, NodeId.None, 5, 51), "the log replayed has other pages at index 5");
    }

    private static void Fails(Action act, string says)
    {
        var violated = Assert.Throws<PropertyViolatedException>(act);
        Assert.Equal("P10", violated.Property);
        Assert.Contains(says, violated.Message, StringComparison.Ordinal);
    }
}
