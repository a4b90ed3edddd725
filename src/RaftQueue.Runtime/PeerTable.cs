using RaftQueue.Consensus;
using RaftQueue.Primitives;
using RaftQueue.Transport;

namespace RaftQueue.Runtime;

/// <summary>
/// Who is connected, under which incarnation, and whom the network should connect to. Belongs to the replica loop;
/// <see cref="IsConnected"/> may be asked from any thread.
/// </summary>
internal sealed class PeerTable(NodeShared node)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<NodeId, Handshake> _connected = [];

    public bool IsConnected(NodeId peer)
    {
        lock (_gate) return _connected.ContainsKey(peer);
    }

    public Handshake? HandshakeOf(NodeId peer)
    {
        lock (_gate) return _connected.GetValueOrDefault(peer);
    }

    public void Connected(NodeId peer, Handshake theirs)
    {
        lock (_gate) _connected[peer] = theirs;
    }

    public void Disconnected(NodeId peer)
    {
        lock (_gate) _connected.Remove(peer);
    }

    public List<NodeId> ConnectedPeers()
    {
        lock (_gate) return [.. _connected.Keys];
    }

    /// <summary>
    /// The union of all shards' members (before there is one, the configured ones) is whom to connect to. While a wiped node
    /// is being swapped in, shards name different incarnations of it: then consensus sorts its messages out.
    /// </summary>
    public void Follow(IReadOnlyList<ShardReplica> shards)
    {
        var peers = new SortedDictionary<NodeId, PeerAddress>();
        var incarnations = new Dictionary<NodeId, Incarnation>();
        bool allKnown = true;
        foreach (ShardReplica shard in shards)
        {
            if (shard.Raft.Membership is not { } membership)
            {
                allKnown = false;
                continue;
            }

            foreach (MemberInfo member in membership.Outgoing) Name(member, peers, incarnations);
            foreach (MemberInfo member in membership.Learners) Name(member, peers, incarnations);
            foreach (MemberInfo member in membership.Voters) Name(member, peers, incarnations);
        }

        if (!allKnown)
        {
            foreach (MemberOptions member in node.Options.Members)
            {
                peers.TryAdd(member.Id, new PeerAddress(member.Id, member.Peer));
            }
        }

        peers.Remove(node.Self);
        node.Network.UpdatePeers([.. peers.Values]);
        foreach (NodeId peer in peers.Keys)
        {
            Incarnation expected = allKnown ? incarnations.GetValueOrDefault(peer) : Incarnation.None;
            node.Network.ExpectIncarnation(peer, expected);
        }
    }

    private static void Name(
        MemberInfo member, SortedDictionary<NodeId, PeerAddress> peers, Dictionary<NodeId, Incarnation> incarnations)
    {
        peers[member.Id] = new PeerAddress(member.Id, member.PeerAddress);
        if (incarnations.TryGetValue(member.Id, out Incarnation other) && other != member.Incarnation)
        {
            incarnations[member.Id] = Incarnation.None;
            return;
        }

        incarnations[member.Id] = member.Incarnation;
    }
}
