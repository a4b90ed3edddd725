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
    /// The union of all shards' members and of the configured ones is whom to connect to: a membership that lags may lack the very node that
    /// leads now. Which incarnation of
    /// a peer counts is not said to the network: a membership that lags may name an old one of the very node that would bring
    /// it up to date, so consensus drops a stranger's messages itself.
    /// </summary>
    public void Follow(IReadOnlyList<ShardReplica> shards)
    {
        var peers = new SortedDictionary<NodeId, PeerAddress>();
        foreach (ShardReplica shard in shards)
        {
            if (shard.Raft.Membership is not { } membership) continue;
            foreach (MemberInfo member in membership.Outgoing) Name(member, peers);
            foreach (MemberInfo member in membership.Learners) Name(member, peers);
            foreach (MemberInfo member in membership.Voters) Name(member, peers);
        }

        foreach (MemberOptions member in node.Options.Members) peers.TryAdd(member.Id, new PeerAddress(member.Id, member.Peer));

        peers.Remove(node.Self);
        node.Network.UpdatePeers([.. peers.Values]);
    }

    private static void Name(MemberInfo member, SortedDictionary<NodeId, PeerAddress> peers) =>
        peers[member.Id] = new PeerAddress(member.Id, member.PeerAddress);
}
