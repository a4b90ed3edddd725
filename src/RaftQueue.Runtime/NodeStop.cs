using RaftQueue.Consensus;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>
/// A graceful stop: hand over leadership, answer what waits, and let what is under way finish, until nothing is left or
/// the time for it is over. Replica loop.
/// </summary>
internal sealed class NodeStop(NodeShared node, long deadlineMicroseconds)
{
    private readonly TaskCompletionSource _drained = new(node.CompletionOptions);

    public Task Drained => _drained.Task;

    public void Sweep(ReplicaLoop loop, long nowMicroseconds)
    {
        bool leads = false;
        foreach (ShardReplica shard in loop.Shards)
        {
            if (shard.Raft.Role != Role.Leader || !CanHandOver(shard)) continue;
            leads = true;
            if (!shard.Raft.IsTransferring) shard.Raft.TransferLeadership(NodeId.None, nowMicroseconds / 1000);
        }

        if ((!leads && node.Replies.Count == 0) || nowMicroseconds >= deadlineMicroseconds) _drained.TrySetResult();
    }

    // The only voter has nobody to hand over to.
    private static bool CanHandOver(ShardReplica shard) => shard.Raft.Membership is { Voters.Count: > 1 };
}
