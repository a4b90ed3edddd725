using RaftQueue.Primitives;

namespace RaftQueue.Transport;

/// <summary>The peers as the runtime sees them. All members are safe from any thread, also inside a handler's callback, and never block.</summary>
public interface IPeerNetwork : IAsyncDisposable
{
    /// <summary>Begins to listen and dial. Once.</summary>
    void Start(IPeerHandler handler);

    /// <summary>
    /// Queues a copy of <paramref name="payload"/>. Messages of one lane arrive in order or, when the connection breaks, not at
    /// all from some point on. False, and dropped, when there is no connection, when the peer answered under another incarnation
    /// than the one expected (bootstrap kinds pass), when the lane's queue is full (32 MiB bulk, 4 MiB urgent) or the payload is
    /// longer than <see cref="FrameHeader.MaxMessageBytes"/>.
    /// </summary>
    bool Send(NodeId to, FrameKind kind, ShardId shard, bool urgent, ReadOnlySpan<byte> payload);

    /// <summary>The other members from now on (this node itself is ignored): new ones are dialled, those missing are dropped.</summary>
    void UpdatePeers(IReadOnlyList<PeerAddress> peers);

    /// <summary>
    /// From now on only frames from this incarnation of <paramref name="peer"/> are handed on, and only those meant for this
    /// node's own; bootstrap kinds pass always. Before the first call (and after <see cref="Incarnation.None"/>) whatever
    /// incarnation stood in the handshake counts.
    /// </summary>
    void ExpectIncarnation(NodeId peer, Incarnation incarnation);
}
