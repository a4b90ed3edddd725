using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>
/// The loop that owns the job state of all shards: applies committed entries, answers requests, runs reads between entries,
/// and keeps the leader's waiting lease requests. It works in slices, so that none of these starves another.
/// </summary>
internal sealed class ApplyLoop(NodeShared node) : ILoopBody
{
    private const long SpaceMicroseconds = 200_000;

    private readonly Inbox<Action> _inbox = new();
    private ShardApply[] _shards = [];
    private bool _rehearsed = !node.Rehearses;

    public ILoopHandle? Handle { get; set; }

    /// <summary>Before the loop starts.</summary>
    public void Use(ShardApply[] shards) => _shards = shards;

    /// <summary>Any thread: <paramref name="action"/> runs on this loop between two entries.</summary>
    public void Post(Action action)
    {
        _inbox.Add(action);
        Handle?.Wake();
    }

    public void Wake() => Handle?.Wake();

    public long RunOnce()
    {
        if (!_rehearsed) Rehearse();
        node.ApplyMeter.Begin(LoopPhase.Inputs);
        node.ApplyBusySinceMicroseconds = node.Clock.MonotonicMicroseconds;
        foreach (Action action in _inbox.TakeAll()) action();
        bool more = false;
        bool shortOfSpace = false;
        long next = ILoopBody.Never;
        foreach (ShardApply shard in _shards)
        {
            node.ApplyBusySinceMicroseconds = node.Clock.MonotonicMicroseconds;
            more |= shard.ApplySlice();
            node.ApplyMeter.Enter(LoopPhase.Serves);
            next = Math.Min(next, shard.Serve(node.Clock.MonotonicMicroseconds));
            node.ApplyMeter.Enter(LoopPhase.Evicts);
            shortOfSpace |= shard.TendPages(node.Clock.MonotonicMicroseconds);
            more |= shard.HasMore;
        }

        node.ApplyMeter.End();
        node.ApplyBusySinceMicroseconds = 0;
        node.StateShortOfSpace = shortOfSpace;
        if (shortOfSpace) next = Math.Min(next, node.Clock.MonotonicMicroseconds + SpaceMicroseconds);
        return more ? 0 : next;
    }

    /// <summary>Nobody waits yet: neither does it count as work that stands still.</summary>
    private void Rehearse()
    {
        _rehearsed = true;
        node.ApplyMeter.Begin(LoopPhase.Rehearses);
        Rehearsal.Run();
        node.ApplyMeter.End();
    }
}
