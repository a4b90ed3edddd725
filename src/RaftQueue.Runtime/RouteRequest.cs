namespace RaftQueue.Runtime;

/// <summary>A user's request sets out.</summary>
internal sealed class RouteRequest(PendingRequest request) : IReplicaInput
{
    public void Run(ReplicaLoop loop, long nowMicroseconds) =>
        loop.Shard(request.Shard).Router.Route(request, nowMicroseconds);
}
