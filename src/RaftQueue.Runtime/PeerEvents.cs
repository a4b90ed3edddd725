using RaftQueue.Consensus;
using RaftQueue.Primitives;
using RaftQueue.Transport;

namespace RaftQueue.Runtime;

/// <summary>Turns what the network tells into inputs of the replica loop; decodes on the network's threads.</summary>
internal sealed class PeerEvents(NodeShared node, ReplicaLoop replica) : IPeerHandler
{
    private const long RepeatMicroseconds = 30_000_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, long> _refusals = new(StringComparer.Ordinal);

    public void Connected(NodeId peer, Handshake theirs)
    {
        node.Log.Info($"node {peer} is connected, incarnation {theirs.Incarnation}{(theirs.Blank ? ", blank" : "")}");
        replica.Post(new PeerConnected(peer, theirs));
    }

    public void Disconnected(NodeId peer, bool orderly)
    {
        node.Log.Info($"node {peer} is disconnected{(orderly ? ", orderly" : "")}");
        replica.Post(new PeerDisconnected(peer));
    }

    public void Refused(NodeId? peer, string reason)
    {
        lock (_gate)
        {
            long now = node.Clock.MonotonicMicroseconds;
            if (_refusals.TryGetValue(reason, out long last) && now - last < RepeatMicroseconds) return;
            if (_refusals.Count > 1000) _refusals.Clear();
            _refusals[reason] = now;
        }

        node.Log.Warning($"connection with node {peer?.ToString() ?? "unknown"} refused: {reason}");
    }

    public void Received(NodeId peer, FrameKind kind, ShardId shard, ReadOnlyMemory<byte> payload)
    {
        switch (kind)
        {
            case FrameKind.Raft:
                var messages = new List<Message>();
                if (MessageCodec.TryDecode(payload, messages)) replica.Post(new RaftFrame(peer, messages));
                else node.Log.Warning($"node {peer} sent a consensus frame that cannot be read");
                break;
            case FrameKind.Forward:
                replica.Post(new ForwardFrame(peer, shard, payload));
                break;
            case FrameKind.BootstrapAnswer:
                if (BootstrapAnswer.TryDecode(payload.Span, out BootstrapAnswer? answer))
                {
                    replica.Post(new BootstrapAnswered(peer, answer));
                }

                break;
            default:
                break;
        }
    }

    public BootstrapAnswer AnswerBootstrap() => replica.Bootstrap.Answer();

    public Handshake OurHandshake(NodeId target)
    {
        NodeOptions options = node.Options;
        return new Handshake
        {
            ClusterId = options.ClusterId,
            Shards = options.Shards,
            Durability = options.Durability == Durability.QuorumFsync ? "quorum-fsync" : "quorum-memory",
            HeartbeatMs = options.HeartbeatMs,
            ElectionTimeoutMs = options.ElectionTimeoutMs,
            Node = node.Self,
            Incarnation = node.Incarnation,
            Target = target,
            Blank = !replica.NamesItself,
            HttpAddress = options.HttpAdvertised,
            PeerAddress = options.Members.FirstOrDefault(member => member.Id == node.Self)?.Peer ?? options.PeerListen,
        };
    }
}
