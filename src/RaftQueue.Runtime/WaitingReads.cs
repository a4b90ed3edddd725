using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>
/// Reads of one shard that wait until its state here has reached an index. A node may be far behind what a leader has confirmed: a read
/// that arrived longer ago than a request may stay open is answered as "behind", not kept until its caller gives up. Apply loop.
/// </summary>
internal sealed class WaitingReads(ShardApply apply, NodeShared node)
{
    private const long SweepMicroseconds = 200_000;

    private readonly PriorityQueue<PendingRead, long> _byIndex = new();
    private readonly List<(PendingRead Read, long Index)> _waiting = [];
    private long _sweepAt;

    public int Count => _byIndex.Count;

    public void Add(PendingRead read, LogIndex index) => _byIndex.Enqueue(read, index.Value);

    /// <summary>Runs what the state is new enough for; returns when to look again, monotonic microseconds.</summary>
    public long Serve(long nowMicroseconds)
    {
        while (_byIndex.TryPeek(out PendingRead? read, out long index) && index <= apply.Store.AppliedIndex.Value)
        {
            _byIndex.Dequeue();
            read.Execute(apply);
        }

        if (_byIndex.Count == 0) return ILoopBody.Never;
        if (nowMicroseconds >= _sweepAt)
        {
            _sweepAt = nowMicroseconds + SweepMicroseconds;
            GiveUpOverdue(nowMicroseconds - (node.Options.RequestTimeoutMs * 1000L));
        }

        return _byIndex.Count == 0 ? ILoopBody.Never : _sweepAt;
    }

    /// <summary>The node stops.</summary>
    public void Abandon()
    {
        while (_byIndex.TryDequeue(out PendingRead? read, out _)) read.Undecided();
    }

    private void GiveUpOverdue(long arrivedBefore)
    {
        var behind = ReadOutcome.Behind(apply.Shard);
        _waiting.AddRange(_byIndex.UnorderedItems);
        if (_waiting.RemoveAll(waiting => waiting.Read.ArrivedMicroseconds < arrivedBefore && waiting.Read.TryGiveUp(behind)) > 0)
        {
            _byIndex.Clear();
            _byIndex.EnqueueRange(_waiting);
        }

        _waiting.Clear();
    }
}
