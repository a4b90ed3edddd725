using System.Net;
using RaftQueue.Primitives;

namespace RaftQueue.Transport;

/// <summary>
/// The peers over TCP: one connection for each pair of nodes, dialled by either, and short ones for transfers. Binds its port when
/// made, so that <see cref="LocalEndPoint"/> is known before <see cref="Start"/>.
/// </summary>
public sealed class TcpPeerNetwork : IPeerNetwork
{
    private readonly TransportOptions _options;
    private readonly InboundDoor _door;
    private readonly Lock _lock = new();
    private readonly Dictionary<NodeId, string> _wanted = [];
    private readonly Dictionary<NodeId, Incarnation> _expected = [];
    private readonly Dictionary<NodeId, Task> _stopping = [];
    private volatile Dictionary<NodeId, PeerLink> _links = [];
    private volatile ITransferSource? _transferSource;
    private IPeerHandler? _handler;
    private bool _disposed;

    /// <summary>Throws <see cref="System.Net.Sockets.SocketException"/> when the address cannot be had.</summary>
    public TcpPeerNetwork(TransportOptions options)
    {
        _options = options;
        _door = new InboundDoor(options);
        LocalEndPoint = _door.LocalEndPoint;
        Transfers = new TransferClient(options, FindAddress, OurHandshake);
    }

    /// <summary>Where it listens, with the port that it got.</summary>
    public IPEndPoint LocalEndPoint { get; }

    /// <summary>Fetches checkpoints from peers; after <see cref="Start"/>.</summary>
    public ITransferClient Transfers { get; }

    /// <summary>Serves checkpoints to peers; none is served while it is null.</summary>
    public ITransferSource? TransferSource
    {
        get => _transferSource;
        set => _transferSource = value;
    }

    /// <summary>Connections that others dialled and that are open, in whatever state.</summary>
    public int InboundConnections => _door.OpenConnections;

    /// <summary>Begins to listen and dial. Callers that are no peer by then are refused, so <see cref="UpdatePeers"/> comes first.</summary>
    public void Start(IPeerHandler handler)
    {
        lock (_lock)
        {
            Invariant.That(_handler is null && !_disposed, "a network is started once");
            _handler = handler;
            Reconcile();
            _door.Start(handler, Find, () => _transferSource);
        }
    }

    public bool Send(NodeId to, FrameKind kind, ShardId shard, bool urgent, ReadOnlySpan<byte> payload)
    {
        Invariant.That(
            kind is FrameKind.Raft or FrameKind.Forward or FrameKind.BootstrapAsk or FrameKind.BootstrapAnswer,
            "other kinds of frames are the network's own");
        return Find(to)?.Send(kind, shard, urgent, payload) ?? false;
    }

    public void UpdatePeers(IReadOnlyList<PeerAddress> peers)
    {
        lock (_lock)
        {
            if (_disposed) return;
            _wanted.Clear();
            foreach (PeerAddress peer in peers)
            {
                if (peer.Id != _options.Self) _wanted[peer.Id] = peer.Address;
            }

            Reconcile();
        }
    }

    public void ExpectIncarnation(NodeId peer, Incarnation incarnation)
    {
        lock (_lock)
        {
            _expected[peer] = incarnation;
            Find(peer)?.Expect(incarnation);
        }
    }

    /// <summary>Says goodbye to all peers; completes when everything is closed and no callback will come.</summary>
    public async ValueTask DisposeAsync()
    {
        Task[] stopping;
        lock (_lock)
        {
            if (_disposed) return;
            _disposed = true;
            _wanted.Clear();
            Reconcile();
            stopping = [.. _stopping.Values];
        }

        await Task.WhenAll([_door.StopAsync(), .. stopping]);
        _door.Dispose();
    }

    private PeerLink? Find(NodeId peer) => _links.GetValueOrDefault(peer);

    private (string Address, Incarnation Expected)? FindAddress(NodeId peer)
    {
        lock (_lock)
        {
            return _wanted.TryGetValue(peer, out string? address) ? (address, _expected.GetValueOrDefault(peer)) : null;
        }
    }

    private Handshake OurHandshake(NodeId target)
    {
        Invariant.That(_handler is not null, "transfers begin after the start");
        return _handler.OurHandshake(target);
    }

    /// <summary>Makes the links be those wanted. A peer that comes back while its old link still closes waits for that.</summary>
    private void Reconcile()
    {
        if (_handler is null) return;
        var links = new Dictionary<NodeId, PeerLink>(_links);
        foreach ((NodeId peer, PeerLink link) in _links)
        {
            if (_wanted.TryGetValue(peer, out string? address))
            {
                link.Address = address;
                continue;
            }

            links.Remove(peer);
            _stopping[peer] = Task.Run(() => StopAsync(link));
        }

        foreach ((NodeId peer, string address) in _wanted)
        {
            if (links.ContainsKey(peer) || _stopping.ContainsKey(peer)) continue;
            var link = new PeerLink(peer, address, _options, _handler);
            link.Expect(_expected.GetValueOrDefault(peer));
            links.Add(peer, link);
            link.Start();
        }

        _links = links;
    }

    private async Task StopAsync(PeerLink link)
    {
        try
        {
            await link.StopAsync();
            link.Dispose();
        }
        catch (Exception exception)
        {
            _options.OnBug(exception);
        }

        lock (_lock)
        {
            _stopping.Remove(link.Peer);
            Reconcile();
        }
    }
}
