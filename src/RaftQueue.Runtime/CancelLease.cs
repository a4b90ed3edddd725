namespace RaftQueue.Runtime;

/// <summary>The user of a lease request is gone.</summary>
internal sealed class CancelLease(PendingRequest request) : IReplicaInput
{
    public void Run(ReplicaLoop loop, long nowMicroseconds) => loop.Shard(request.Shard).Router.CancelLease(request);
}
