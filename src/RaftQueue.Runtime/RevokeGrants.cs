using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>Leases were granted to nobody: they go back to the front of their queue.</summary>
internal sealed class RevokeGrants(ShardId shard, ReadOnlyMemory<byte> leaseResult) : IReplicaInput
{
    public void Run(ReplicaLoop loop, long nowMicroseconds) => loop.Requests.Revoke(shard, leaseResult.Span);
}
