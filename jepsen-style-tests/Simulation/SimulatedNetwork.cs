using RaftQueue.Checkers;
using RaftQueue.Primitives;
using RaftQueue.TestKit;
using RaftQueue.Transport;

namespace RaftQueue.Simulation;

/// <summary>Carries encoded frames between nodes in virtual time: delayed, lost and cut as a test says.</summary>
internal sealed class SimulatedNetwork(FakeClock clock, RandomStreams streams)
{
    private readonly Dictionary<(NodeId, NodeId), SplitMix64> _random = [];
    private readonly SortedDictionary<NodeId, SimulatedPeer> _peers = [];
    private readonly Dictionary<(NodeId, NodeId), long> _connected = [];
    private readonly HashSet<(NodeId From, NodeId To)> _cut = [];
    private readonly PriorityQueue<Delivery, (long At, long Order)> _queue = new();
    private readonly Dictionary<(NodeId, NodeId), long> _lastArrival = [];
    private long _order;

    public int LossPercent { get; set; }

    /// <summary>Of a thousand frames so many are late by up to <see cref="LateMs"/>, and whatever follows on their connection with them.</summary>
    public int LatePerMille { get; set; }

    public int LateMs { get; set; }

    public long NextDueMicroseconds => _queue.TryPeek(out _, out (long At, long Order) next) ? next.At : long.MaxValue;

    public SimulatedPeer Join(NodeId id, ITransferSource source)
    {
        var peer = new SimulatedPeer(this, id, source);
        _peers[id] = peer;
        return peer;
    }

    public SimulatedPeer? Find(NodeId id) => _peers.GetValueOrDefault(id);

    /// <summary>The process is gone: its connections break.</summary>
    public void Leave(NodeId id)
    {
        _peers.Remove(id);
        foreach (NodeId other in _peers.Keys.ToList()) Disconnect(id, other);
    }

    /// <summary>Nothing passes from one to the other; connections stay open, as with a dropped cable.</summary>
    public void Cut(NodeId from, NodeId to) => _cut.Add((from, to));

    public void Isolate(NodeId id)
    {
        foreach (NodeId other in _peers.Keys)
        {
            Cut(id, other);
            Cut(other, id);
        }
    }

    public void Mend(NodeId from, NodeId to) => _cut.Remove((from, to));

    public void Heal() => _cut.Clear();

    public bool IsCut(NodeId from, NodeId to) => _cut.Contains((from, to));

    public bool IsConnected(NodeId a, NodeId b) => _connected.ContainsKey(Pair(a, b));

    /// <summary>Connects everybody who wants each other and is not cut off.</summary>
    public void ConnectAll()
    {
        foreach (SimulatedPeer one in _peers.Values.ToList())
        {
            foreach (SimulatedPeer other in _peers.Values.ToList())
            {
                if (one.Id >= other.Id || IsConnected(one.Id, other.Id) || !one.Wants(other.Id) || !other.Wants(one.Id)) continue;
                if (IsCut(one.Id, other.Id) || IsCut(other.Id, one.Id)) continue;
                Handshake mine = one.Handler!.OurHandshake(other.Id);
                Handshake theirs = other.Handler!.OurHandshake(one.Id);
                Require.That(Handshake.Compare(mine, theirs) is null, "P11: nodes of one cluster accept each other");
                _connected.Add(Pair(one.Id, other.Id), ++_order);
                one.Connected(other.Id, theirs);
                other.Connected(one.Id, mine);
            }
        }
    }

    public bool Send(NodeId from, NodeId to, Incarnation sender, Incarnation target, FrameKind kind, ShardId shard, ReadOnlySpan<byte> payload)
    {
        if (!_connected.TryGetValue(Pair(from, to), out long connection)) return false;
        if (!_random.TryGetValue((from, to), out SplitMix64? random))
            _random.Add((from, to), random = streams.Open("path", from.Value, to.Value));
        if (IsCut(from, to) || random.NextBelow(100) < LossPercent) return true;
        long arrival = clock.MonotonicMicroseconds + 100 + random.NextBelow(900);
        if (LatePerMille > 0 && random.NextBelow(1000) < LatePerMille) arrival += random.NextBelow(LateMs * 1000L);
        // One connection keeps its order.
        if (_lastArrival.TryGetValue((from, to), out long last)) arrival = Math.Max(arrival, last + 1);
        _lastArrival[(from, to)] = arrival;
        _queue.Enqueue(new Delivery(from, to, connection, sender, target, kind, shard, payload.ToArray()), (arrival, _order++));
        return true;
    }

    public bool DeliverNext()
    {
        if (!_queue.TryPeek(out _, out (long At, long Order) next) || next.At > clock.MonotonicMicroseconds) return false;
        Delivery delivery = _queue.Dequeue();
        // What was under way on a connection ends with it.
        bool alive = _connected.TryGetValue(Pair(delivery.From, delivery.To), out long connection) && connection == delivery.Connection;
        if (alive) Find(delivery.To)?.Receive(delivery);
        return true;
    }

    /// <summary>The connection breaks and what is under way on it is lost; it is made anew at once where nothing is cut.</summary>
    public void Disconnect(NodeId a, NodeId b)
    {
        if (!_connected.Remove(Pair(a, b))) return;
        Find(a)?.Disconnected(b);
        Find(b)?.Disconnected(a);
    }

    private static (NodeId, NodeId) Pair(NodeId a, NodeId b) => a < b ? (a, b) : (b, a);

    internal sealed record Delivery(
        NodeId From, NodeId To, long Connection, Incarnation Sender, Incarnation Target, FrameKind Kind, ShardId Shard, byte[] Payload);
}
