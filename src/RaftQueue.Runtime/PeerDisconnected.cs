using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>A peer's connection is gone. From the leader's, failover starts at once.</summary>
internal sealed class PeerDisconnected(NodeId peer) : IReplicaInput
{
    public void Run(ReplicaLoop loop, long nowMicroseconds)
    {
        loop.Peers.Disconnected(peer);
        loop.Bootstrap.Forget(peer);
        foreach (ShardReplica shard in loop.Shards) shard.ConnectionLost(peer, nowMicroseconds);
    }
}
