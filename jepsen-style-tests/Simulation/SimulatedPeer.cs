using RaftQueue.MessagePack;
using RaftQueue.Primitives;
using RaftQueue.Transport;

namespace RaftQueue.Simulation;

/// <summary>One node's end of the <see cref="SimulatedNetwork"/>.</summary>
internal sealed class SimulatedPeer(SimulatedNetwork network, NodeId id, ITransferSource source) : IPeerNetwork, ITransferClient
{
    private readonly Dictionary<NodeId, Handshake> _theirs = [];
    private readonly Dictionary<NodeId, Incarnation> _expected = [];
    private HashSet<NodeId> _wanted = [];

    public NodeId Id => id;

    public IPeerHandler? Handler { get; private set; }

    public ITransferSource Source => source;

    public bool Wants(NodeId other) => Handler is not null && _wanted.Contains(other);

    public void Start(IPeerHandler handler) => Handler = handler;

    public bool Send(NodeId to, FrameKind kind, ShardId shard, bool urgent, ReadOnlySpan<byte> payload)
    {
        if (!_theirs.TryGetValue(to, out Handshake? theirs)) return false;
        if (!IsBootstrap(kind) && !Expected(to, theirs.Incarnation)) return false;
        Incarnation own = Handler!.OurHandshake(to).Incarnation;
        return network.Send(id, to, own, theirs.Incarnation, kind, shard, payload);
    }

    public void UpdatePeers(IReadOnlyList<PeerAddress> peers) => _wanted = [.. peers.Select(peer => peer.Id)];

    public void ExpectIncarnation(NodeId peer, Incarnation incarnation) => _expected[peer] = incarnation;

    public void Connected(NodeId peer, Handshake theirs)
    {
        _theirs[peer] = theirs;
        Handler!.Connected(peer, theirs);
    }

    public void Disconnected(NodeId peer)
    {
        if (_theirs.Remove(peer)) Handler!.Disconnected(peer, orderly: false);
    }

    public void Receive(SimulatedNetwork.Delivery delivery)
    {
        if (delivery.Kind == FrameKind.BootstrapAsk)
        {
            using var buffer = new PooledBuffer();
            Handler!.AnswerBootstrap().Encode(buffer);
            Send(delivery.From, FrameKind.BootstrapAnswer, default, urgent: true, buffer.WrittenSpan);
            return;
        }

        Incarnation own = Handler!.OurHandshake(delivery.From).Incarnation;
        if (!IsBootstrap(delivery.Kind) && (!Expected(delivery.From, delivery.Sender) || delivery.Target != own)) return;
        Handler.Received(delivery.From, delivery.Kind, delivery.Shard, delivery.Payload);
    }

    public Task<TransferOpening> OpenAsync(
        NodeId from, ShardId shard, LogIndex atLeast, TransferResume? resume, CancellationToken cancellation)
    {
        ITransferReader? reader = network.IsCut(from, id) ? null : network.Find(from)?.Source.Open(shard, atLeast);
        return Task.FromResult(reader is null
            ? new TransferOpening(TransferOutcome.NotAvailable, null, "none")
            : new TransferOpening(TransferOutcome.Opened, new Stream(reader), null));
    }

    public ValueTask DisposeAsync()
    {
        network.Leave(id);
        return ValueTask.CompletedTask;
    }

    private bool Expected(NodeId peer, Incarnation incarnation) =>
        !_expected.TryGetValue(peer, out Incarnation expected) || expected.IsNone || expected == incarnation;

    private static bool IsBootstrap(FrameKind kind) => kind is FrameKind.BootstrapAsk or FrameKind.BootstrapAnswer;

    private sealed class Stream(ITransferReader reader) : ITransferStream
    {
        public ReadOnlyMemory<byte> Info => reader.InfoBytes;

        public long TotalBytes => reader.TotalBytes;

        public long Position { get; private set; }

        public ValueTask<TransferRead> ReadAsync(CancellationToken cancellation)
        {
            byte[] chunk = new byte[(int)Math.Min(64 * 1024, reader.TotalBytes - Position)];
            long position = Position;
            int read = chunk.Length == 0 ? 0 : reader.Read(position, chunk);
            Position += read;
            return ValueTask.FromResult(new TransferRead(position, chunk.AsMemory(0, read), null));
        }

        public ValueTask DisposeAsync()
        {
            reader.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
