using RaftQueue.Checkers;
using RaftQueue.Consensus;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;
using RaftQueue.TestKit;
using RaftQueue.Transport;

namespace RaftQueue.Simulation;

/// <summary>
/// Connects nodes in virtual time. Messages become bytes and messages again through the transport's own code; on their way
/// they are delayed, lost, doubled, held and cut as the weather and the faults say.
/// </summary>
internal sealed class SimulatedNetwork(FakeClock clock, RandomStreams streams, LivelockGuard guard)
{
    /// <summary>Numbers of nodes are below it.</summary>
    public const int MostNodes = 8;

    private const long MinLatency = 100;
    private const long LatencySpread = 900;
    private const long DialSpread = 3_000;
    private const long HoldMicroseconds = 10_000;
    private const int MaxTravelling = 500;

    private TransportOptions _options = new() { Self = default, ListenAddress = "" };

    private readonly SortedDictionary<NodeId, SimulatedPeer> _peers = [];
    private readonly SimulatedConnection?[,] _connections = new SimulatedConnection?[MostNodes, MostNodes];
    private readonly NetworkPath?[,] _paths = new NetworkPath?[MostNodes, MostNodes];
    private readonly HashSet<(NodeId, NodeId)> _dialling = [];
    private readonly PriorityQueue<Action, (long At, long Order)> _queue = new();
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private long _order;
    private bool _mayConnect;

    /// <summary>Bytes that wait to be sent on a connection.</summary>
    public long MaxQueuedBytes
    {
        get => _options.MaxBulkBytes;
        set => _options = _options with { MaxBulkBytes = value };
    }

    public NetworkWeather Weather { get; set; } = new();

    /// <summary>Until when nothing of a node runs: what arrives for it waits in its sockets.</summary>
    public Func<NodeId, long> PausedUntil { get; set; } = static _ => 0;

    /// <summary>Chunks of bytes that were sent.</summary>
    public long Chunks { get; private set; }

    /// <summary>Over every chunk: when it was sent, from whom to whom, and its bytes.</summary>
    public ulong Digest { get; private set; }

    /// <summary>What each question of a transfer takes beside its bytes.</summary>
    public long TransferMicroseconds { get; set; } = 300;

    /// <summary>Bytes of pages and table that transfers have carried.</summary>
    public long TransferBytes { get; set; }

    /// <summary>Told before a node answers a question of a transfer.</summary>
    public Action<NodeId>? BeforeTransferAnswer { get; set; }

    /// <summary>Told when a node does not have a page of the checkpoint that it gives.</summary>
    public Action<NodeId>? PageLacking { get; set; }

    public long NextDueMicroseconds => _queue.TryPeek(out _, out (long At, long Order) next) ? next.At : long.MaxValue;

    public long NowMicroseconds => clock.MonotonicMicroseconds;

    private long Now => clock.MonotonicMicroseconds;

    public SimulatedPeer Join(NodeId id, ITransferSource source)
    {
        var peer = new SimulatedPeer(this, id, source);
        _peers[id] = peer;
        _mayConnect = true;
        return peer;
    }

    public SimulatedPeer? Find(NodeId id) => _peers.GetValueOrDefault(id);

    /// <summary>The process is gone: its connections break.</summary>
    public void Leave(NodeId id)
    {
        StaysInThread();
        if (_peers.Remove(id, out SimulatedPeer? gone)) gone.IsGone = true;
        for (int other = 1; other < MostNodes; other++) Disconnect(id, new NodeId(other));
    }

    /// <summary>
    /// The machine is gone and told nobody: at the other ends its connections stay open, and what is sent on them comes to nothing, until
    /// it is back and does not know them.
    /// </summary>
    public void Vanish(NodeId id)
    {
        StaysInThread();
        if (_peers.Remove(id, out SimulatedPeer? gone)) gone.IsGone = gone.IsSilent = true;
        for (int number = 1; number < MostNodes; number++)
        {
            var other = new NodeId(number);
            if (Between(id, other) is not { } connection) continue;
            if (Find(other) is null || connection.DeadEnd is not null) Disconnect(id, other);
            else connection.DeadEnd = id;
        }
    }

    /// <summary>Nothing passes from one to the other; connections stay open, as with a dropped cable.</summary>
    public void Cut(NodeId from, NodeId to) => Path(from, to).Cuts++;

    public void Isolate(NodeId id)
    {
        foreach (NodeId other in _peers.Keys)
        {
            Cut(id, other);
            Cut(other, id);
        }
    }

    /// <summary>Takes back one <see cref="Cut"/>.</summary>
    public void Mend(NodeId from, NodeId to)
    {
        NetworkPath path = Path(from, to);
        path.Cuts = Math.Max(0, path.Cuts - 1);
        _mayConnect = true;
    }

    public void Clog(NodeId from, NodeId to, long untilMicroseconds) => Path(from, to).CloggedUntil = untilMicroseconds;

    /// <summary>Every cut and every clog ends, of the paths for which this holds.</summary>
    public void Heal(Func<NodeId, NodeId, bool>? where = null)
    {
        foreach ((NodeId from, NodeId to) in Pairs()) Path(from, to);
        foreach (NetworkPath? path in _paths)
        {
            // Also of nodes that are down at present.
            if (path is null || (where is not null && !where(path.From, path.To))) continue;
            path.Cuts = 0;
            path.CloggedUntil = 0;
            path.LosesKind = null;
            path.BreaksTransfers = false;
            path.SpoilsTransfers = false;
            path.IsCalm = where is not null;
        }

        _mayConnect = true;
    }

    /// <summary>Told of every frame that a node hands over, whether it arrives or not.</summary>
    public FrameWatch? Sent { get; set; }

    public bool IsCut(NodeId from, NodeId to) => Path(from, to).IsCut;

    public bool IsConnected(NodeId a, NodeId b) => Between(a, b) is not null;

    public NetworkPath Path(NodeId from, NodeId to) =>
        _paths[from.Value, to.Value] ??= new NetworkPath(from, to, streams.Open("path", from.Value, to.Value));

    /// <summary>Somebody may want to be connected who was not before.</summary>
    public void WantsChanged() => _mayConnect = true;

    public bool Send(NodeId from, NodeId to, FrameKind kind, ShardId shard, bool urgent, ReadOnlySpan<byte> payload)
    {
        if (Between(from, to) is not { } connection) return false;
        SimulatedStream stream = connection.From(from);
        Sent?.Invoke(from, stream.Sender.Incarnation, kind, urgent, payload);
        NetworkPath path = stream.Path;
        if (path.IsCut || Happens(path, path.IsCalm ? 0 : Weather.LossPercent)) return true;
        if (path.LosesKind is { } lost && kind == FrameKind.Raft && (payload = Without(lost, payload)).IsEmpty) return true;
        if (kind == FrameKind.Raft && !path.IsCalm)
        {
            if (Happens(path, Weather.ReplayPercent))
                SendLater(stream, kind, shard, urgent, payload, path.Random.NextBelow(NetworkWeather.MaxReplayMs * (path.Random.NextBelow(4) == 0 ? 1000L : 10L)));
            if (Happens(path, Weather.OvertakenPercent))
            {
                SendLater(stream, kind, shard, urgent, payload, path.Random.NextBelow(20_000));
                return true;
            }
        }

        if (!stream.TryAdd(kind, shard, urgent, payload)) return false;
        if (Now >= stream.SendingUntil) Transmit(stream);
        return true;
    }

    /// <summary>Runs what is due; false when nothing is.</summary>
    public bool RunDue()
    {
        if (_mayConnect) DialMissing();
        bool worked = false;
        while (_queue.TryPeek(out _, out (long At, long Order) next) && next.At <= Now)
        {
            _queue.Dequeue()();
            worked = true;
            guard.Did(static () => "the network");
        }

        return worked;
    }

    public void At(long microseconds, Action action)
    {
        StaysInThread();
        _queue.Enqueue(action, (microseconds, _order++));
    }

    /// <summary>The connection breaks and what is under way on it is lost; it is made anew soon where nothing is cut.</summary>
    public void Disconnect(NodeId a, NodeId b)
    {
        if (Between(a, b) is not { } connection) return;
        Between(a, b) = null;
        connection.Dispose();
        _mayConnect = true;
        Find(a)?.Disconnected(b);
        Find(b)?.Disconnected(a);
    }

    private ref SimulatedConnection? Between(NodeId a, NodeId b) => ref _connections[Math.Min(a.Value, b.Value), Math.Max(a.Value, b.Value)];

    private IEnumerable<(NodeId, NodeId)> Pairs() =>
        _peers.Keys.SelectMany(from => _peers.Keys.Where(to => to != from).Select(to => (from, to)));

    /// <summary>What goes on in a pool thread runs beside everything else, and no run is like the other.</summary>
    private void StaysInThread() =>
        Require.That(Environment.CurrentManagedThreadId == _thread, "P10: all of a simulated cluster runs in one thread");

    private static bool Happens(NetworkPath path, int percent) => percent > 0 && path.Random.NextBelow(100) < percent;

    /// <summary>The payload without the messages of one kind; empty when there are no others.</summary>
    private static byte[] Without(MessageKind lost, ReadOnlySpan<byte> payload)
    {
        var messages = new List<Message>();
        Require.That(MessageCodec.TryDecode(payload.ToArray(), messages), "P10: what a node sends can be read");
        messages.RemoveAll(message => message.Kind == lost);
        if (messages.Count == 0) return [];
        using var buffer = new PooledBuffer();
        MessageCodec.Encode(messages, buffer);
        return buffer.WrittenSpan.ToArray();
    }

    private void SendLater(SimulatedStream stream, FrameKind kind, ShardId shard, bool urgent, ReadOnlySpan<byte> payload, long microseconds)
    {
        byte[] copy = payload.ToArray();
        At(Now + microseconds, () =>
        {
            // Also on a later connection, as long as both are who they were.
            NodeId from = stream.Path.From;
            if (Between(from, stream.Path.To) is not { } connection) return;
            SimulatedStream present = connection.From(from);
            bool same = present.Sender.Incarnation == stream.Sender.Incarnation && present.Receiver.Incarnation == stream.Receiver.Incarnation;
            if (same && !present.Path.IsCut && present.TryAdd(kind, shard, urgent, copy) && Now >= present.SendingUntil) Transmit(present);
        });
    }

    /// <summary>Lets one chunk travel, and comes back for the next when it has left.</summary>
    private void Transmit(SimulatedStream stream)
    {
        if (!stream.IsOpen || stream.Travelling.Count >= MaxTravelling) return;
        (byte[] bytes, int length) = stream.TakeChunk();
        if (length == 0) return;
        NetworkPath path = stream.Path;
        Chunks++;
        Digest = SplitMix64.Mix(Digest ^ (ulong)Now) + ((ulong)(path.From.Value * 31 + path.To.Value) << 32) + Crc32C.Compute(bytes.AsSpan(0, length));
        if (Weather.BytesPerMs > 0) stream.SendingUntil = Now + (length * 1000L / Weather.BytesPerMs);
        long arrival = Math.Max(Now, stream.SendingUntil) + MinLatency + path.Random.NextBelow(LatencySpread);
        if (Weather.LatePerMille > 0 && !path.IsCalm && path.Random.NextBelow(1000) < Weather.LatePerMille) arrival += path.Random.NextBelow(Weather.LateMs * 1000L);
        int first = Happens(path, Weather.SplitPercent) ? 1 + (int)path.Random.NextBelow(length) : length;
        Travel(stream, new TravellingBytes(bytes, 0, first, length), arrival);
        if (first < length) Travel(stream, new TravellingBytes(bytes, first, length - first, length), arrival + path.Random.NextBelow(2_000));
        if (stream.HasWaiting) At(stream.SendingUntil, () => Transmit(stream));
    }

    private void Travel(SimulatedStream stream, in TravellingBytes bytes, long arrival)
    {
        stream.LastArrival = Math.Max(arrival, stream.LastArrival);
        stream.Travelling.Enqueue(bytes);
        At(stream.LastArrival, () => Arrive(stream));
    }

    /// <summary>The oldest bytes that travel are there, whoever's time has come: one connection keeps its order.</summary>
    private void Arrive(SimulatedStream stream)
    {
        // What was under way on a connection ends with it.
        if (!stream.IsOpen || stream.IsDeadEnd || Find(stream.Path.To) is not { } receiver) return;
        if (stream.Held > 0)
        {
            stream.Held++;
        }
        else if (IsHeld(stream))
        {
            stream.Held = 1;
            At(Now + HoldMicroseconds, () => Release(stream));
        }
        else
        {
            stream.Arrive(stream.Travelling.Dequeue(), receiver);
        }
    }

    /// <summary>Hands on what was held back, once nothing holds it any more.</summary>
    private void Release(SimulatedStream stream)
    {
        if (!stream.IsOpen || stream.IsDeadEnd || Find(stream.Path.To) is not { } receiver) return;
        if (IsHeld(stream))
        {
            At(Now + HoldMicroseconds, () => Release(stream));
            return;
        }

        int held = stream.Held;
        stream.Held = 0;
        for (int i = 0; i < held && stream.IsOpen; i++) stream.Arrive(stream.Travelling.Dequeue(), receiver);
        if (stream.IsOpen && stream.HasWaiting) Transmit(stream);
    }

    private bool IsHeld(SimulatedStream stream) => stream.Path.CloggedUntil > Now || PausedUntil(stream.Path.To) > Now;

    private void DialMissing()
    {
        _mayConnect = false;
        foreach (SimulatedPeer one in _peers.Values)
        {
            foreach (SimulatedPeer other in _peers.Values)
            {
                if (one.Id >= other.Id || !CanConnect(one, other) || !_dialling.Add((one.Id, other.Id))) continue;
                (NodeId, NodeId) pair = (one.Id, other.Id);
                long pause = MinLatency + Path(one.Id, other.Id).Random.NextBelow(DialSpread);
                At(Now + pause, () =>
                {
                    _dialling.Remove(pair);
                    _mayConnect = true;
                    if (Find(pair.Item1) is { } a && Find(pair.Item2) is { } b && CanConnect(a, b)) Connect(a, b);
                });
            }
        }
    }

    private bool CanConnect(SimulatedPeer one, SimulatedPeer other) =>
        Between(one.Id, other.Id) is null or { DeadEnd: not null } && one.Wants(other.Id) && other.Wants(one.Id) && !IsCut(one.Id, other.Id) && !IsCut(other.Id, one.Id);

    private void Connect(SimulatedPeer one, SimulatedPeer other)
    {
        Handshake mine = ThroughCodec(one.Handler!.OurHandshake(other.Id));
        Handshake theirs = ThroughCodec(other.Handler!.OurHandshake(one.Id));
        Require.That(Handshake.Compare(mine, theirs) is null, "P11: nodes of one cluster accept each other");
        // One end still has the connection of the other's former life: its caller insists.
        Disconnect(one.Id, other.Id);
        Between(one.Id, other.Id) = new SimulatedConnection(Path(one.Id, other.Id), Path(other.Id, one.Id), mine, theirs, _options);
        one.Connected(other.Id, theirs);
        other.Connected(one.Id, mine);
    }

    private static Handshake ThroughCodec(Handshake said)
    {
        using var buffer = new PooledBuffer();
        new HelloMessage(ConnectionPurpose.Peer, false, said).Encode(buffer);
        Require.Readable(HelloMessage.TryDecode(buffer.WrittenSpan, out HelloMessage? heard));
        return heard.Handshake;
    }
}
