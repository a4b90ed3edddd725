using RaftQueue.Consensus;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;
using RaftQueue.Transport;

namespace RaftQueue.Runtime;

/// <summary>
/// Linearizable reads of one shard (Raft thesis 6.4): whatever waits shares a round; a follower asks the leader for the round.
/// Belongs to the replica loop.
/// </summary>
internal sealed class ReadRounds(ShardReplica replica, NodeShared node)
{
    private const long ResendMicroseconds = 500_000;
    private const long RetryMicroseconds = 20_000;

    private readonly Dictionary<ulong, ReadBatch> _local = [];
    private readonly Dictionary<ulong, (NodeId From, ulong Batch)> _remote = [];
    private readonly List<ulong> _stale = [];
    private readonly PooledBuffer _buffer = new(64);
    private List<PendingRead> _collecting = [];

    // Never one of an earlier life of this node: the leader may answer that late.
    private ulong _lastContext = node.FirstNumber;
    private long _notBefore;

    public void Add(PendingRead read) => _collecting.Add(read);

    public bool IsIdle => _collecting.Count == 0 && _local.Count == 0;

    /// <summary>Starts a round for all that was collected.</summary>
    public void Flush(long nowMicroseconds)
    {
        if (_collecting.Count == 0 || nowMicroseconds < _notBefore) return;
        NodeId leader = replica.Raft.Leader;
        if (leader.IsNone || (leader == node.Self && replica.InDoubt)) return;
        ulong context = ++_lastContext;
        if (leader != node.Self && !Ask(leader, context)) return;
        _local.Add(context, new ReadBatch(_collecting, nowMicroseconds));
        _collecting = [];
        _notBefore = 0;
        if (leader == node.Self) replica.Raft.RequestRead(context, nowMicroseconds / 1000);
    }

    /// <summary>A follower asks for a round.</summary>
    public void Asked(NodeId from, ulong batch, long nowMicroseconds)
    {
        if (replica.Raft.Role != Role.Leader || replica.InDoubt)
        {
            Reply(from, batch, granted: false, default);
            return;
        }

        ulong context = ++_lastContext;
        _remote.Add(context, (from, batch));
        replica.Raft.RequestRead(context, nowMicroseconds / 1000);
    }

    /// <summary>Consensus decided about a round that this node asked for as leader.</summary>
    public void Decided(in ReadResult result, long nowMicroseconds)
    {
        if (_remote.Remove(result.Context, out (NodeId From, ulong Batch) asker))
        {
            Reply(asker.From, asker.Batch, result.Granted, result.Index);
            return;
        }

        Answered(result.Context, result.Granted, result.Index, nowMicroseconds);
    }

    /// <summary>The leader (this node or another) answered a round of ours.</summary>
    public void Answered(ulong context, bool granted, LogIndex index, long nowMicroseconds)
    {
        if (!_local.Remove(context, out ReadBatch? batch)) return;
        if (granted)
        {
            replica.Apply.AddReads(batch.Reads, index);
            return;
        }

        _collecting.AddRange(batch.Reads);
        _notBefore = nowMicroseconds + RetryMicroseconds;
    }

    /// <summary>A peer's connection is gone: its next life may number its rounds like the last one.</summary>
    public void Forget(NodeId peer)
    {
        foreach ((ulong context, (NodeId from, _)) in _remote)
        {
            if (from == peer) _stale.Add(context);
        }

        foreach (ulong context in _stale) _remote.Remove(context);
        _stale.Clear();
    }

    /// <summary>Another leader or term: rounds under way will not be answered.</summary>
    public void LeaderChanged()
    {
        foreach (ReadBatch batch in _local.Values) _collecting.AddRange(batch.Reads);
        _local.Clear();
        _remote.Clear();
        _notBefore = 0;
    }

    /// <summary>Gives up reads that waited too long and repeats rounds whose answer seems lost.</summary>
    public void Expire(long nowMicroseconds)
    {
        foreach ((ulong context, ReadBatch batch) in _local)
        {
            if (nowMicroseconds - batch.SentMicroseconds > ResendMicroseconds) _stale.Add(context);
        }

        foreach (ulong context in _stale)
        {
            _local.Remove(context, out ReadBatch? batch);
            _collecting.AddRange(batch!.Reads);
        }

        _stale.Clear();
        long limit = nowMicroseconds - (node.Options.LeaderWaitMs * 1000L);
        for (int i = _collecting.Count - 1; i >= 0; i--)
        {
            if (_collecting[i].ArrivedMicroseconds > limit) continue;
            _collecting[i].Undecided();
            _collecting.RemoveAt(i);
        }
    }

    /// <summary>The node stops.</summary>
    public void Abandon()
    {
        LeaderChanged();
        foreach (PendingRead read in _collecting) read.Undecided();
        _collecting.Clear();
    }

    private bool Ask(NodeId leader, ulong context)
    {
        _buffer.Clear();
        ForwardCodec.WriteKind(_buffer, ForwardKind.ReadIndex);
        ForwardCodec.WriteUInt64(_buffer, context);
        return node.Network.Send(leader, FrameKind.Forward, replica.Shard, urgent: true, _buffer.WrittenSpan);
    }

    private void Reply(NodeId to, ulong batch, bool granted, LogIndex index)
    {
        _buffer.Clear();
        ForwardCodec.WriteKind(_buffer, ForwardKind.ReadIndexReply);
        ForwardCodec.WriteUInt64(_buffer, batch);
        _buffer.Write([granted ? (byte)1 : (byte)0]);
        ForwardCodec.WriteUInt64(_buffer, (ulong)index.Value);
        node.Network.Send(to, FrameKind.Forward, replica.Shard, urgent: true, _buffer.WrittenSpan);
    }
}
