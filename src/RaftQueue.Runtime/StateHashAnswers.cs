using RaftQueue.MessagePack;
using RaftQueue.Primitives;
using RaftQueue.Transport;

namespace RaftQueue.Runtime;

/// <summary>Tells peers what this node's state hash is at an index, as soon as it was applied. Apply loop.</summary>
internal sealed class StateHashAnswers(ShardApply apply, NodeShared node)
{
    private const int MaxWaiting = 64;

    private readonly List<(NodeId Peer, LogIndex Index)> _waiting = [];
    private readonly PooledBuffer _buffer = new(64);

    public void Asked(NodeId peer, LogIndex index)
    {
        if (index <= apply.Store.AppliedIndex) Answer(peer, index);
        else if (_waiting.Count < MaxWaiting) _waiting.Add((peer, index));
    }

    public void Serve()
    {
        for (int i = _waiting.Count - 1; i >= 0; i--)
        {
            if (_waiting[i].Index > apply.Store.AppliedIndex) continue;
            Answer(_waiting[i].Peer, _waiting[i].Index);
            _waiting.RemoveAt(i);
        }
    }

    private void Answer(NodeId peer, LogIndex index)
    {
        // An index from before a restart, or too long ago: this node cannot testify.
        if (!apply.Store.TryStateHashAt(index, out ulong hash)) return;
        _buffer.Clear();
        ForwardCodec.WriteKind(_buffer, ForwardKind.HashReply);
        ForwardCodec.WriteUInt64(_buffer, (ulong)index.Value);
        ForwardCodec.WriteUInt64(_buffer, hash);
        node.Network.Send(peer, FrameKind.Forward, apply.Shard, urgent: true, _buffer.WrittenSpan);
    }
}
