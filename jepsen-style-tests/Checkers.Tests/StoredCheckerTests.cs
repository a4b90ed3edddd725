using RaftQueue.Primitives;

namespace RaftQueue.Checkers.Tests;

public sealed class StoredCheckerTests
{
    private static readonly ShardId Shard = new(0);
    private static readonly NodeId One = new(1);

    private readonly StoredChecker _checker = new();

    [Fact]
    public void What_was_stored_is_there_or_the_node_does_not_vote()
    {
        var life = new Incarnation(7);
        _checker.Stores(Shard, life, 12);
        _checker.Stores(Shard, life, 10);
        _checker.Starts(Shard, life, One, 12, mayVote: true);
        _checker.Starts(Shard, life, One, 11, mayVote: false);
        // A wiped node is another, and other shards are others.
        _checker.Starts(Shard, new Incarnation(8), One, 0, mayVote: true);
        _checker.Starts(new ShardId(1), life, One, 0, mayVote: true);
        var violated = Assert.Throws<PropertyViolatedException>(() => _checker.Starts(Shard, life, One, 11, mayVote: true));
        Assert.Equal("P10", violated.Property);
        Assert.Contains("up to 11, had stored it up to 12", violated.Message, StringComparison.Ordinal);
    }
}
