using RaftQueue.Consensus;
using RaftQueue.Jobs;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;
using RaftQueue.Transport;

namespace RaftQueue.Runtime;

/// <summary>
/// What waits on the leader of one shard to become an entry: all of it goes into the next. Belongs to the replica loop.
/// </summary>
internal sealed class Proposals(ShardReplica replica, NodeShared node)
{
    private const long MaxWaitingBytes = 64L * 1024 * 1024;
    /// <summary>Of other nodes' users, above which new work is refused.</summary>
    public const int MaxWaitingCommands = 65_536;

    private readonly List<WaitingCommand> _waiting = [];
    private readonly PooledBuffer _buffer = new(256);
    private long _waitingBytes;

    public bool IsEmpty => _waiting.Count == 0;

    public int Count => _waiting.Count;

    /// <summary>One of this node's own requests.</summary>
    public void Add(PendingRequest request) =>
        Add(new WaitingCommand(request.Type, node.Incarnation, node.Self, request.Number, request.Body, request));

    /// <summary>A command that the leader itself has to say: a tick, a checkpoint position, settings.</summary>
    public void AddOwn(CommandType type, ReadOnlyMemory<byte> body) =>
        Add(new WaitingCommand(type, node.Incarnation, node.Self, node.NextRequestNumber(), body, null));

    /// <summary>A waiting lease request that can be granted now.</summary>
    public void AddLease(NodeId originNode, Incarnation origin, ulong number, ReadOnlyMemory<byte> body) =>
        Add(new WaitingCommand(CommandType.Lease, origin, originNode, number, body, null));

    /// <summary>Command frames that another node's users asked for. <paramref name="payload"/> may be kept.</summary>
    public void AddForwarded(NodeId from, ReadOnlyMemory<byte> payload)
    {
        ReadOnlySpan<byte> rest = payload.Span;
        bool leads = replica.Raft.Role == Role.Leader && !replica.InDoubt;
        int position = 0;
        while (CommandFrame.TryTake(ref rest, out CommandFrame frame))
        {
            var type = (CommandType)frame.Type;
            NotAppliedReason reason = leads ? WhyRefused(type) : NotAppliedReason.NoLeader;
            ReadOnlyMemory<byte> body = payload.Slice(position + CommandFrame.HeaderSize, frame.Body.Length);
            position += frame.Size;
            if (frame.Type < CommandFrame.FirstJobType) continue;
            if (reason is NotAppliedReason.None) Add(new WaitingCommand(type, frame.Origin, from, frame.RequestNumber, body, null));
            else Reject(from, reason, frame.RequestNumber);
        }
    }

    /// <summary>Builds and proposes entries as far as consensus takes them.</summary>
    public void Flush(long nowMicroseconds)
    {
        if (_waiting.Count == 0) return;
        DropRefused();
        RaftNode raft = replica.Raft;
        int next = 0;
        while (next < _waiting.Count)
        {
            int count = EntryBuilder.CountFitting(_waiting, next);
            LogEntry entry = EntryBuilder.Build(
                replica.Shard, raft.Term, raft.LastIndex.Next, replica.NextStampMs(), _waiting, next, count);
            if (!replica.TryPropose(entry, nowMicroseconds, IsAwaitedElsewhere(next, count))) break;
            for (int end = next + count; next < end; next++) Proposed(_waiting[next]);
        }

        _waiting.RemoveRange(0, next);
    }

    /// <summary>This node does not lead any more: own requests go back to the router, others to where they came from.</summary>
    public void Drop()
    {
        foreach (WaitingCommand command in _waiting)
        {
            if (command.Local is not null) replica.Router.Return(command.Local);
            else if (command.OriginNode != node.Self && command.Type != CommandType.Lease)
            {
                Reject(command.OriginNode, NotAppliedReason.NoLeader, command.Number);
            }
        }

        _waiting.Clear();
        _waitingBytes = 0;
    }

    /// <summary>Tells a node that a request of its users was not proposed.</summary>
    public void Reject(NodeId to, NotAppliedReason reason, ulong number)
    {
        _buffer.Clear();
        ForwardCodec.WriteKind(_buffer, ForwardKind.Rejected);
        _buffer.Write([(byte)reason]);
        ForwardCodec.WriteUInt64(_buffer, number);
        node.Network.Send(to, FrameKind.Forward, replica.Shard, urgent: true, _buffer.WrittenSpan);
    }

    public static bool IsFinishing(CommandType type) => type is CommandType.Ack or CommandType.Nack or CommandType.Extend
        or CommandType.Release or CommandType.Reschedule or CommandType.Cancel or CommandType.Revoke;

    /// <summary>What finishes work is taken when new work is refused: it has as much room again, and that of a full disk's reserve.</summary>
    private NotAppliedReason WhyRefused(CommandType type)
    {
        bool finishing = IsFinishing(type);
        if (node.IsDiskFull && !finishing) return NotAppliedReason.DiskFull;
        int factor = finishing ? ReplyTable.FinishingFactor : 1;
        bool full = _waitingBytes > factor * MaxWaitingBytes || _waiting.Count > factor * MaxWaitingCommands;
        return full ? NotAppliedReason.Overloaded : NotAppliedReason.None;
    }

    private bool IsAwaitedElsewhere(int start, int count)
    {
        for (int i = start; i < start + count; i++)
        {
            if (_waiting[i].OriginNode != node.Self) return true;
        }

        return false;
    }

    private void DropRefused()
    {
        for (int i = _waiting.Count - 1; i >= 0; i--)
        {
            if (_waiting[i].Local is not { Refused: true }) continue;
            _waitingBytes -= _waiting[i].Size;
            _waiting.RemoveAt(i);
        }
    }

    private void Add(in WaitingCommand command)
    {
        _waiting.Add(command);
        _waitingBytes += command.Size;
    }

    private void Proposed(in WaitingCommand command)
    {
        _waitingBytes -= command.Size;
        if (command.Local is not { } request) return;
        request.Copies++;
        request.SentTo = node.Self;
    }
}
