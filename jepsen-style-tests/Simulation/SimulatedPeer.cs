using RaftQueue.MessagePack;
using RaftQueue.Primitives;
using RaftQueue.Transport;

namespace RaftQueue.Simulation;

/// <summary>One node's end of the <see cref="SimulatedNetwork"/>.</summary>
internal sealed class SimulatedPeer(SimulatedNetwork network, NodeId id, ITransferSource source) : IPeerNetwork, ITransferClient
{
    private readonly Dictionary<NodeId, Handshake> _theirs = [];
    private readonly Dictionary<NodeId, LifeCheck> _lives = [];
    private HashSet<NodeId> _wanted = [];

    public NodeId Id => id;

    /// <summary>Its process is gone.</summary>
    public bool IsGone { get; set; }

    /// <summary>And nobody was told: what waits for it hears nothing.</summary>
    public bool IsSilent { get; set; }

    public IPeerHandler? Handler { get; private set; }

    public ITransferSource Source => source;

    public bool Wants(NodeId other) => Handler is not null && _wanted.Contains(other);

    public void Start(IPeerHandler handler)
    {
        Handler = handler;
        network.WantsChanged();
    }

    public bool Send(NodeId to, FrameKind kind, ShardId shard, bool urgent, ReadOnlySpan<byte> payload)
    {
        if (!_theirs.TryGetValue(to, out Handshake? theirs)) return false;
        if (!LifeOf(to).MaySend(kind, theirs.Incarnation)) return false;
        return network.Send(id, to, kind, shard, urgent, payload);
    }

    public void UpdatePeers(IReadOnlyList<PeerAddress> peers)
    {
        _wanted = [.. peers.Select(peer => peer.Id)];
        network.WantsChanged();
    }

    public void ExpectIncarnation(NodeId peer, Incarnation incarnation) => LifeOf(peer).Expect(incarnation);

    public void Connected(NodeId peer, Handshake theirs)
    {
        _theirs[peer] = theirs;
        Handler!.Connected(peer, theirs);
    }

    public void Disconnected(NodeId peer)
    {
        if (_theirs.Remove(peer)) Handler!.Disconnected(peer, orderly: false);
    }

    public void Receive(NodeId from, in FrameHeader header, byte[] payload)
    {
        if (header.Kind == FrameKind.BootstrapAsk)
        {
            using var buffer = new PooledBuffer();
            Handler!.AnswerBootstrap().Encode(buffer);
            Send(from, FrameKind.BootstrapAnswer, default, urgent: true, buffer.WrittenSpan);
            return;
        }

        Incarnation own = Handler!.OurHandshake(from).Incarnation;
        if (!LifeOf(from).MayReceive(header, own)) return;
        Handler.Received(from, header.Kind, header.Shard, payload);
    }

    public async Task<TransferOpening> OpenAsync(NodeId from, ShardId shard, LogIndex atLeast, CancellationToken cancellation)
    {
        var transfer = new SimulatedTransfer(network, this, from, shard);
        TransferOutcome outcome = await transfer.OpenAgainAsync(atLeast, cancellation).ConfigureAwait(false);
        return new TransferOpening(outcome, outcome == TransferOutcome.Opened ? transfer : null, "simulated");
    }

    public ValueTask DisposeAsync()
    {
        network.Leave(id);
        return ValueTask.CompletedTask;
    }

    private LifeCheck LifeOf(NodeId peer)
    {
        if (!_lives.TryGetValue(peer, out LifeCheck? life)) _lives.Add(peer, life = new LifeCheck());
        return life;
    }
}
