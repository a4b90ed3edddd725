using RaftQueue.MessagePack;
using RaftQueue.Primitives;
using RaftQueue.Transport;

namespace RaftQueue.Runtime;

/// <summary>
/// Brings this node's requests of one shard to whoever leads it, again after every change of leader: the request number in
/// the replicated state makes a second copy harmless. Belongs to the replica loop.
/// </summary>
internal sealed class RequestRouter(ShardReplica replica, NodeShared node)
{
    private readonly HashSet<PendingRequest> _unsent = [];
    private readonly List<PendingRequest> _forward = [];
    private readonly List<PendingRequest> _open = [];
    private readonly PooledBuffer _buffer = new(64 * 1024);

    /// <summary>Sends a request on its way, or keeps it until there is one.</summary>
    public void Route(PendingRequest request, long nowMicroseconds)
    {
        NodeId leader = replica.Raft.Leader;
        if (leader.IsNone || (leader == node.Self && replica.InDoubt)) _unsent.Add(request);
        else if (leader != node.Self) _forward.Add(request);
        else if (request.IsLease) LeaseHere(request);
        else if (!request.Finishing && node.IsDiskFull && request.Copies == 0) Refuse(request, NotAppliedReason.DiskFull);
        else replica.Proposals.Add(request);
    }

    /// <summary>Sends what was routed to the leader in this round of the loop.</summary>
    public void Flush(long nowMicroseconds)
    {
        // Answered since it was routed: it must not leave any more.
        _forward.RemoveAll(static request => request.Refused);
        int next = 0;
        while (next < _forward.Count)
        {
            int end = FillFrame(next, nowMicroseconds, out bool urgent);
            NodeId leader = replica.Raft.Leader;
            bool sent = !leader.IsNone && leader != node.Self
                && node.Network.Send(leader, FrameKind.Forward, replica.Shard, urgent, _buffer.WrittenSpan);
            for (; next < end; next++)
            {
                if (sent) MarkSent(_forward[next], leader);
                else _unsent.Add(_forward[next]);
            }
        }

        _forward.Clear();
    }

    /// <summary>Somebody else leads, or this node in another term: every open request goes there.</summary>
    public void LeaderChanged(long nowMicroseconds)
    {
        _unsent.Clear();
        _forward.Clear();
        _open.Clear();
        node.Replies.CopyTo(replica.Shard, _open);
        foreach (PendingRequest request in _open) Route(request, nowMicroseconds);
    }

    /// <summary>A new connection to the leader: what was on the old one may be lost.</summary>
    public void Reconnected(NodeId peer, long nowMicroseconds)
    {
        if (peer == replica.Raft.Leader) LeaderChanged(nowMicroseconds);
    }

    /// <summary>Tries again what found no way.</summary>
    public void Retry(long nowMicroseconds)
    {
        if (_unsent.Count == 0 || replica.Raft.Leader.IsNone) return;
        _open.Clear();
        _open.AddRange(_unsent);
        _open.Sort(static (left, right) => left.Number.CompareTo(right.Number));
        _unsent.Clear();
        foreach (PendingRequest request in _open)
        {
            if (node.Replies.TryGet(request.Number, out _)) Route(request, nowMicroseconds);
        }
    }

    /// <summary>A request of ours that waited here was not proposed after all.</summary>
    public void Return(PendingRequest request) => _unsent.Add(request);

    /// <summary>A node that was asked did not propose these.</summary>
    public void Rejected(NodeId from, NotAppliedReason reason, ulong number)
    {
        if (!node.Replies.TryGet(number, out PendingRequest? request) || request!.SentTo != from) return;
        bool onlyCopy = request.Copies == 1;
        if (onlyCopy) request.Copies = 0;
        // While another copy may be on its way nothing definite can be said: it is sent again.
        if (onlyCopy && reason is not NotAppliedReason.NoLeader) Refuse(request, reason);
        else _unsent.Add(request);
    }

    /// <summary>Answers what waited too long: not applied where no copy ever left, unknown otherwise.</summary>
    public void Expire(long nowMicroseconds)
    {
        _open.Clear();
        node.Replies.CopyTo(replica.Shard, _open);
        long leaderWait = node.Options.LeaderWaitMs * 1000L;
        foreach (PendingRequest request in _open)
        {
            bool leaderless = request.Copies == 0 && nowMicroseconds - request.ArrivedMicroseconds >= leaderWait
                && nowMicroseconds - request.WaitUntilMicroseconds >= leaderWait;
            if (leaderless)
            {
                _unsent.Remove(request);
                Refuse(request, NotAppliedReason.NoLeader);
            }
            else if (nowMicroseconds >= request.DeadlineMicroseconds)
            {
                _unsent.Remove(request);
                if (node.Replies.TryTake(request.Number, out _)) request.Complete(CommandOutcome.Unknown(replica.Shard));
            }
            else if (request.IsLease && !request.AskedAgain && request.Copies > 0
                && nowMicroseconds > Math.Max(request.WaitUntilMicroseconds, request.ArrivedMicroseconds) + 1_000_000)
            {
                // The empty answer, or the request itself, may have been lost on the way: the leader takes a repeat for the same.
                request.AskedAgain = true;
                Route(request, nowMicroseconds);
            }
        }
    }

    /// <summary>The user of a lease request is gone: the leader need not keep its place.</summary>
    public void CancelLease(PendingRequest request)
    {
        // Should another leader come, there is nothing to wait for either.
        request.WaitUntilMicroseconds = Math.Min(request.WaitUntilMicroseconds, request.ArrivedMicroseconds);
        if (request.Copies == 0 && node.Replies.TryTake(request.Number, out _))
        {
            request.Refused = true;
            _unsent.Remove(request);
            request.Complete(CommandOutcome.NotApplied(replica.Shard, NotAppliedReason.Stopping));
        }
        else
        {
            GiveUpPlace(request);
        }
    }

    /// <summary>
    /// A checkpoint takes the place of entries that were not applied here one by one. Should one of them have granted something to a lease
    /// request of ours, nobody tells: a later "nothing to be had" would be untrue. The numbers of other commands stand in the state,
    /// and what was granted under an idempotency key does.
    /// </summary>
    public void EntriesSkipped()
    {
        _open.Clear();
        node.Replies.CopyTo(replica.Shard, _open);
        foreach (PendingRequest request in _open)
        {
            if (!request.IsLease || request.Copies == 0 || RequestDesk.IsKeyed(request.Body.Span)) continue;
            if (!node.Replies.TryTake(request.Number, out _)) continue;
            request.Refused = true;
            _unsent.Remove(request);
            GiveUpPlace(request);
            request.Complete(CommandOutcome.Unknown(replica.Shard));
        }
    }

    /// <summary>Waiting lease requests are answered as soon as their leader can, because this node stops.</summary>
    public void EndWaits(long nowMicroseconds)
    {
        _open.Clear();
        node.Replies.CopyTo(replica.Shard, _open);
        foreach (PendingRequest request in _open)
        {
            if (!request.IsLease) continue;
            request.WaitUntilMicroseconds = Math.Min(request.WaitUntilMicroseconds, nowMicroseconds);
            Route(request, nowMicroseconds);
        }
    }

#if PLANTED_BUGS
    public void RefuseProposed()
    {
        _open.Clear();
        node.Replies.CopyTo(replica.Shard, _open);
        foreach (PendingRequest request in _open)
        {
            if (request.SentTo == node.Self && !request.IsLease) Refuse(request, NotAppliedReason.NoLeader);
        }
    }

#endif
    /// <summary>The node stops.</summary>
    public void Abandon()
    {
        _open.Clear();
        node.Replies.CopyTo(replica.Shard, _open);
        foreach (PendingRequest request in _open)
        {
            if (!node.Replies.TryTake(request.Number, out _)) continue;
            request.Complete(request.Copies == 0
                ? CommandOutcome.NotApplied(replica.Shard, NotAppliedReason.Stopping)
                : CommandOutcome.Unknown(replica.Shard));
        }
    }

    private void LeaseHere(PendingRequest request)
    {
        MarkSent(request, node.Self);
        replica.Apply.LeaseArrived(
            node.Self, node.Incarnation, request.Number, request.Body, request.WaitUntilMicroseconds);
    }

    /// <summary>The leader that was asked need not keep this lease request's place.</summary>
    private void GiveUpPlace(PendingRequest request)
    {
        if (request.SentTo == node.Self)
        {
            replica.Apply.CancelLease(node.Incarnation, request.Number);
        }
        else if (!request.SentTo.IsNone)
        {
            _buffer.Clear();
            ForwardCodec.WriteKind(_buffer, ForwardKind.LeaseCancel);
            ForwardCodec.WriteUInt64(_buffer, request.Number);
            node.Network.Send(request.SentTo, FrameKind.Forward, replica.Shard, urgent: true, _buffer.WrittenSpan);
        }
    }

    private void MarkSent(PendingRequest request, NodeId to)
    {
        // Also a repeat to the same leader counts: should it refuse the repeat, the first copy may stand in its log.
        request.Copies++;
        request.SentTo = to;
    }

    private void Refuse(PendingRequest request, NotAppliedReason reason)
    {
        request.Refused = true;
        if (node.Replies.TryTake(request.Number, out _)) request.Complete(CommandOutcome.NotApplied(replica.Shard, reason));
    }

    /// <summary>Encodes requests from <paramref name="start"/> on into one payload and returns where the next one starts.</summary>
    private int FillFrame(int start, long nowMicroseconds, out bool urgent)
    {
        _buffer.Clear();
        PendingRequest first = _forward[start];
        urgent = first.IsLease;
        if (first.IsLease)
        {
            ForwardCodec.WriteKind(_buffer, ForwardKind.Lease);
            ForwardCodec.WriteUInt64(_buffer, first.Number);
            long waitMs = Math.Max(0, (first.WaitUntilMicroseconds - nowMicroseconds) / 1000);
            ForwardCodec.WriteUInt64(_buffer, (ulong)waitMs);
            _buffer.Write(first.Body.Span);
            return start + 1;
        }

        ForwardCodec.WriteKind(_buffer, ForwardKind.Commands);
        int end = start;
        while (end < _forward.Count && !_forward[end].IsLease
            && (end == start || _buffer.Length + _forward[end].Body.Length <= EntryBuilder.TargetBytes))
        {
            ForwardCodec.WriteCommand(_buffer, _forward[end++], node.Incarnation);
        }

        return end;
    }
}
