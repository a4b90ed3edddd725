using RaftQueue.Jobs;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>The leader's "nothing to be had", told once this node has applied what the leader had when it said so.</summary>
internal sealed class EmptyLeaseAnswer(NodeShared node, PendingRequest request, LogIndex index)
    : PendingRead(request.Shard, request.ArrivedMicroseconds)
{
    public override void Execute(ShardApply apply)
    {
        if (!node.Replies.TryTake(request.Number, out _)) return;
        request.Complete(CommandOutcome.Applied(Shard, index, ResultCode.Empty, default));
    }

    /// <summary>The node stops, and whoever waits is answered with all others.</summary>
    public override void Undecided()
    {
    }
}
