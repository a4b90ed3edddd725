namespace RaftQueue.Runtime;

/// <summary>Sees from the replica loop whether the apply loop, which all shards share, has stopped in the middle of a slice.</summary>
internal sealed class ApplyWatch(NodeShared node)
{
    /// <summary>Longer than between two looks of a loop that runs.</summary>
    private const long LongestBetweenMicroseconds = 100_000;

    private (long Slice, long Headway) _seen;
    private long _seenAt;
    private long _lookedAt;

    /// <summary>
    /// Since when the apply loop is in one slice, of whatever shard, without touching another job; 0 while it rests. A long slice is not
    /// meant: every other node has the same entries to apply, and where that takes long leadership would only go round.
    /// </summary>
    public long StuckSinceMicroseconds { get; private set; }

    /// <summary>Every few dozen milliseconds.</summary>
    public void Sweep(IReadOnlyList<ShardReplica> shards, long nowMicroseconds)
    {
        long headway = 0;
        foreach (ShardReplica shard in shards) headway += shard.Apply.Headway;
        (long Slice, long Headway) seen = (node.ApplyBusySinceMicroseconds, headway);
        // While the replica loop got no time itself, as in a process that was stopped, the apply loop may have got none either.
        _seenAt += Math.Max(0, nowMicroseconds - _lookedAt - LongestBetweenMicroseconds);
        _lookedAt = nowMicroseconds;
        if (seen != _seen) _seenAt = nowMicroseconds;
        _seen = seen;
        StuckSinceMicroseconds = seen.Slice == 0 ? 0 : _seenAt;
    }
}
