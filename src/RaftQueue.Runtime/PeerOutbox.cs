using RaftQueue.Consensus;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;
using RaftQueue.Transport;

namespace RaftQueue.Runtime;

/// <summary>
/// The Raft messages of one round of the loop, of all shards, packed into one frame a peer; those without entries go in
/// the urgent lane. Belongs to the replica loop.
/// </summary>
internal sealed class PeerOutbox(NodeShared node)
{
    private const long MaxFrameEntryBytes = 1024 * 1024;

    private readonly Dictionary<NodeId, Lanes> _peers = [];
    private readonly PooledBuffer _buffer = new(64 * 1024);

    public void Add(Message message)
    {
        if (!_peers.TryGetValue(message.To, out Lanes? lanes)) _peers.Add(message.To, lanes = new Lanes());
        (message.Entries.Count == 0 ? lanes.Urgent : lanes.Bulk).Add(message);
    }

    public void Flush()
    {
        long wall = node.Clock.WallUnixMs;
        foreach ((NodeId peer, Lanes lanes) in _peers)
        {
            if (lanes.Urgent.Count > 0) Send(peer, lanes.Urgent, 0, lanes.Urgent.Count, wall, urgent: true);
            SendBulk(peer, lanes.Bulk, wall);
            lanes.Urgent.Clear();
            lanes.Bulk.Clear();
        }
    }

    private void SendBulk(NodeId peer, List<Message> messages, long wall)
    {
        int start = 0;
        while (start < messages.Count)
        {
            int end = start;
            long bytes = 0;
            while (end < messages.Count)
            {
                bytes += MessageCodec.EncodedBytes(messages[end]);
                if (end > start && bytes > MaxFrameEntryBytes) break;
                end++;
            }

            Send(peer, messages, start, end - start, wall, urgent: false);
            start = end;
        }
    }

    private void Send(NodeId peer, List<Message> messages, int start, int count, long wall, bool urgent)
    {
        List<Message> part = count == messages.Count ? messages : messages.GetRange(start, count);
        foreach (Message message in part) message.WallUnixMs = wall;
        _buffer.Clear();
        MessageCodec.Encode(part, _buffer);
        // A frame that finds no connection is lost like any other: consensus repeats what matters.
        node.Network.Send(peer, FrameKind.Raft, part[0].Shard, urgent, _buffer.WrittenSpan);
    }

    private sealed class Lanes
    {
        public List<Message> Urgent { get; } = [];

        public List<Message> Bulk { get; } = [];
    }
}
