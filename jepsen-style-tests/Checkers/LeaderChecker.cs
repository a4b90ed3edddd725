using RaftQueue.Primitives;

namespace RaftQueue.Checkers;

/// <summary>
/// P11, of who leads, told of it again and again: nobody leads on for longer than a bound while its disk or its apply is stuck, and what
/// is due by cluster time happens within a bound while somebody leads who could let it happen. O(1).
/// </summary>
public sealed class LeaderChecker(long mostStuckMs, long mostLateMs)
{
    private readonly Dictionary<(ShardId Shard, NodeId Node), (long Term, long SinceMs)> _late = [];

    /// <summary>A node leads, and its oldest unfinished work began at this time; null when it has none.</summary>
    public void Works(ShardId shard, NodeId leader, long? stuckSinceMs, long nowMs) => Require.That(
        stuckSinceMs is not { } since || nowMs - since <= mostStuckMs,
        $"P11: node {leader} still leads shard {shard}, {nowMs - stuckSinceMs} ms after its disk or its apply stood still");

    /// <summary>A node leads: has something been due for it that it could let happen, at this time and whenever this was told since?</summary>
    public void Due(ShardId shard, NodeId leader, long term, bool isDue, long nowMs)
    {
        if (!isDue)
        {
            _late.Remove((shard, leader));
            return;
        }

        if (!_late.TryGetValue((shard, leader), out (long Term, long SinceMs) late) || late.Term != term)
        {
            _late[(shard, leader)] = (term, nowMs);
            return;
        }

        Require.That(
            nowMs - late.SinceMs <= mostLateMs,
            $"P11: node {leader} leads term {term} of shard {shard}, and what is due has not happened {nowMs - late.SinceMs} ms later");
    }

    /// <summary>A node does not lead, or got no time.</summary>
    public void Rests(ShardId shard, NodeId node) => _late.Remove((shard, node));
}
