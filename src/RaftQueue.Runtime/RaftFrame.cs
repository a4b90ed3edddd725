using RaftQueue.Consensus;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>A peer's consensus messages, decoded where they arrived.</summary>
internal sealed class RaftFrame(NodeId peer, List<Message> messages) : IReplicaInput
{
    public void Run(ReplicaLoop loop, long nowMicroseconds)
    {
        // A frame of a connection that is closed by now is like one that came late.
        if (loop.Peers.HandshakeOf(peer) is not { } handshake) return;
        foreach (Message message in messages)
        {
            if (message.From != peer || message.Shard.Value >= loop.Shards.Count) continue;
            ShardReplica shard = loop.Shard(message.Shard);
            message.FromIncarnation = handshake.Incarnation;
            if (message.WallUnixMs != 0) shard.Clock.Observe(peer, message.WallUnixMs);
            shard.Raft.Step(message, nowMicroseconds / 1000);
        }
    }
}
