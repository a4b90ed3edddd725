using RaftQueue.Primitives;

namespace RaftQueue.Checkers.Tests;

public sealed class LeaderCheckerTests
{
    private static readonly ShardId Shard = new(0);
    private static readonly NodeId One = new(1);
    private static readonly NodeId Two = new(2);

    private readonly LeaderChecker _checker = new(mostStuckMs: 400, mostLateMs: 200);

    [Fact]
    public void Nobody_leads_on_with_a_disk_that_hangs()
    {
        _checker.Works(Shard, One, null, 1_000);
        _checker.Works(Shard, One, 1_000, 1_400);
        Fails(() => _checker.Works(Shard, One, 1_000, 1_401), "node 1 still leads shard 0, 401 ms");
    }

    [Fact]
    public void What_is_due_happens()
    {
        _checker.Due(Shard, One, 3, isDue: true, 1_000);
        _checker.Due(Shard, One, 3, isDue: true, 1_200);
        Fails(() => _checker.Due(Shard, One, 3, isDue: true, 1_201), "what is due has not happened 201 ms later");
    }

    [Fact]
    public void It_is_late_only_for_who_could_let_it_happen_all_the_time()
    {
        _checker.Due(Shard, One, 3, isDue: true, 1_000);
        _checker.Due(Shard, One, 3, isDue: false, 1_150);
        _checker.Due(Shard, One, 3, isDue: true, 1_151);
        _checker.Due(Shard, One, 4, isDue: true, 1_352);
        _checker.Due(Shard, Two, 4, isDue: true, 1_353);
        _checker.Rests(Shard, One);
        _checker.Due(Shard, One, 4, isDue: true, 1_600);
        Fails(() => _checker.Due(Shard, Two, 4, isDue: true, 1_600), "node 2 leads term 4");
    }

    private static void Fails(Action act, string says)
    {
        var violated = Assert.Throws<PropertyViolatedException>(act);
        Assert.Equal("P11", violated.Property);
        Assert.Contains(says, violated.Message, StringComparison.Ordinal);
    }
}
