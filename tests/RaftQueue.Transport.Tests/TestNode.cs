using System.Collections.Concurrent;
using RaftQueue.Primitives;

namespace RaftQueue.Transport.Tests;

/// <summary>A network on loopback with a recording handler. Bugs inside the network fail the test when it is disposed.</summary>
internal sealed class TestNode : IAsyncDisposable
{
    /// <summary>For a machine that does other things.</summary>
    private const int PatienceMs = 30_000;
    private readonly ConcurrentQueue<Exception> _bugs = new();

    public TestNode(int id, Func<Handshake, Handshake>? change = null, Func<TransportOptions, TransportOptions>? options = null, int port = 0)
    {
        Id = new NodeId(id);
        change ??= same => same;
        options ??= same => same;
        Network = new TcpPeerNetwork(options(new TransportOptions
        {
            Self = Id,
            ListenAddress = $"127.0.0.1:{port}",
            OnBug = _bugs.Enqueue,
            ConnectTimeoutMs = PatienceMs,
            HandshakeTimeoutMs = PatienceMs,
        }));
        Handler = new RecordingHandler(target => change(HandshakeOf(id, target.Value)));
    }

    public NodeId Id { get; }

    public TcpPeerNetwork Network { get; }

    public RecordingHandler Handler { get; }

    public PeerAddress Address => new(Id, Network.LocalEndPoint.ToString());

    public static Handshake HandshakeOf(int node, int target, ulong? incarnation = null) => new()
    {
        ClusterId = "c",
        Shards = 4,
        Durability = "quorum-fsync",
        HeartbeatMs = 50,
        ElectionTimeoutMs = 300,
        Node = new NodeId(node),
        Incarnation = new Incarnation(incarnation ?? (ulong)node * 100),
        Target = new NodeId(target),
        HttpAddress = $"node{node}:80",
        PeerAddress = $"node{node}:81",
    };

    /// <summary>Knows all of <paramref name="nodes"/> from now on, and starts.</summary>
    public void Start(params TestNode[] nodes)
    {
        Network.UpdatePeers([.. nodes.Select(node => node.Address)]);
        Network.Start(Handler);
    }

    public bool Send(TestNode to, byte[] payload, bool urgent = false, FrameKind kind = FrameKind.Raft) =>
        Network.Send(to.Id, kind, new ShardId(3), urgent, payload);

    public Task UntilConnectedAsync(TestNode to) => Handler.UntilAsync(_ => Handler.IsConnected(to.Id));

    public async ValueTask DisposeAsync()
    {
        await Network.DisposeAsync();
        Assert.Empty(_bugs);
        Assert.Null(Handler.Broken);
    }
}
