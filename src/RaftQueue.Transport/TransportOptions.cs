using RaftQueue.Primitives;

namespace RaftQueue.Transport;

/// <summary>Who this node is on the peer network, where it listens, and the bounds.</summary>
public sealed record TransportOptions
{
    public required NodeId Self { get; init; }

    /// <summary>"host:port"; port 0 takes any free one, host * all addresses of this machine.</summary>
    public required string ListenAddress { get; init; }

    /// <summary>Inbound connections at once, whatever state they are in; more are closed at once.</summary>
    public int MaxInboundConnections { get; init; } = 64;

    /// <summary>From accept or dial to the complete handshake.</summary>
    public int HandshakeTimeoutMs { get; init; } = 5_000;

    /// <summary>From the first packet of a dial to the connection, all addresses of the name together.</summary>
    public int ConnectTimeoutMs { get; init; } = 1_000;

    /// <summary>Pause after the first failed dial; doubles up to <see cref="MaxRetryMs"/>.</summary>
    public int MinRetryMs { get; init; } = 50;

    public int MaxRetryMs { get; init; } = 500;

    /// <summary>Pause after a dial that was refused because the two nodes' settings differ.</summary>
    public int RefusedRetryMs { get; init; } = 2_000;

    /// <summary>How long what is queued may take to leave when a connection is closed in order.</summary>
    public int CloseTimeoutMs { get; init; } = 1_000;

    /// <summary>A transfer connection on which nothing moves for so long is closed.</summary>
    public int TransferIdleMs { get; init; } = 10_000;

    /// <summary>
    /// What this node gives to peers that fetch pages, all together: about an eighth of a processor.
    /// </summary>
    public long TransferBytesPerSecond { get; init; } = 64 * 1024 * 1024;

    /// <summary>Bound on what waits in the bulk lane of one connection.</summary>
    public long MaxBulkBytes { get; init; } = 32 * 1024 * 1024;

    /// <summary>Bound on what waits in the urgent lane of one connection.</summary>
    public long MaxUrgentBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>
    /// Where an exception goes that is a bug (of this room or of a handler). By default it is thrown on a pool thread, which
    /// ends the process.
    /// </summary>
    public Action<Exception> OnBug { get; init; } =
        static exception => ThreadPool.QueueUserWorkItem(static bug => throw new InvariantViolationException("The peer network failed.", bug), exception, preferLocal: false);
}
