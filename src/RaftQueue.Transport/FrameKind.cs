namespace RaftQueue.Transport;

/// <summary>What a frame carries. The numbers are the wire's.</summary>
public enum FrameKind : byte
{
    /// <summary>First frame of whoever dialled: its <see cref="Handshake"/>.</summary>
    Hello = 1,

    /// <summary>The answer to Hello: the listener's <see cref="Handshake"/>, also when it refuses.</summary>
    HelloReply,

    /// <summary>Asks for a <see cref="Transport.BootstrapAnswer"/>; no payload.</summary>
    BootstrapAsk,

    /// <summary>A <see cref="Transport.BootstrapAnswer"/>.</summary>
    BootstrapAnswer,

    /// <summary>Consensus messages as <see cref="MessageCodec"/> writes them.</summary>
    Raft = 10,

    /// <summary>The runtime's own payloads, opaque here.</summary>
    Forward = 20,

    /// <summary>On a transfer connection: opens the newest checkpoint of a shard.</summary>
    TransferRequest = 30,

    /// <summary>On a transfer connection: the answer to a request.</summary>
    TransferHead = 31,

    /// <summary>On a transfer connection: asks for pages of the open checkpoint.</summary>
    PageQuestion = 32,

    /// <summary>On a transfer connection: the pages.</summary>
    PageAnswer = 33,

    /// <summary>The last frame: the sender closes on purpose and says why.</summary>
    Goodbye = 40,
}
