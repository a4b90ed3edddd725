using RaftQueue.Primitives;
using RaftQueue.Transport;

namespace RaftQueue.Runtime;

/// <summary>A peer is connected.</summary>
internal sealed class PeerConnected(NodeId peer, Handshake theirs) : IReplicaInput
{
    public void Run(ReplicaLoop loop, long nowMicroseconds)
    {
        loop.Peers.Connected(peer, theirs);
        foreach (ShardReplica shard in loop.Shards)
        {
            shard.Raft.ConnectionOpened(peer, nowMicroseconds / 1000);
            shard.Router.Reconnected(peer, nowMicroseconds);
        }

        loop.NoticeIncarnation(peer, theirs, nowMicroseconds);
    }
}
