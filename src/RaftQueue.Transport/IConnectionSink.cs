namespace RaftQueue.Transport;

/// <summary>Whoever uses an established connection. Called on the connection's read loop, one call at a time.</summary>
internal interface IConnectionSink
{
    /// <summary>A whole message.</summary>
    void Received(PeerConnection connection, in FrameHeader header, ReadOnlyMemory<byte> payload);

    /// <summary>The last call.</summary>
    /// <param name="orderly">The other side said Goodbye.</param>
    /// <param name="reason">For a log line.</param>
    void Closed(PeerConnection connection, bool orderly, string reason);
}
