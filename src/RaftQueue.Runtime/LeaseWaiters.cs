using System.Runtime.InteropServices;
using System.Text;
using RaftQueue.Jobs;
using RaftQueue.Jobs.Commands;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;
using RaftQueue.Transport;

namespace RaftQueue.Runtime;

/// <summary>
/// The lease requests that wait on the leader of one shard, in order of arrival. Waiting writes nothing to the log: a
/// request is proposed only when a job can be had, as many requests as there are jobs; one that lost the race keeps its
/// place; an empty answer is given only after a round that confirms the leader. Apply loop.
/// </summary>
internal sealed class LeaseWaiters(ShardApply apply, NodeShared node)
{
    private const int MinDeadlinesToDrop = 1024;
    private const long PullAheadCheckMicroseconds = 10_000;

    private readonly Dictionary<(Incarnation Origin, ulong Number), LeaseWaiter> _byRequest = [];
    private readonly Dictionary<string, LinkedList<LeaseWaiter>> _byQueue = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _inFlightJobs = new(StringComparer.Ordinal);
    private readonly PriorityQueue<LeaseWaiter, long> _byDeadline = new();
    private readonly LinkedList<LeaseWaiter> _pullingAhead = new();
    private readonly LinkedList<LeaseWaiter> _keyed = new();
    private readonly HashSet<string> _woken = new(StringComparer.Ordinal);
    private readonly PooledBuffer _buffer = new(64);
    private Term _term;
    private LeaderClock? _clock;
    private long _pullAheadCheckedAt;
    private bool _keyGranted;
    private bool _landed;

    public int Count => _byRequest.Count;

    public void LeadershipChanged(Term term, LeaderClock clock)
    {
        if (term == _term) return;
        _term = term;
        _clock = clock;
        // Whoever waits here registers again with the new leader; answers come from there.
        foreach (LeaseWaiter waiter in _byRequest.Values) waiter.IsOver = true;
        _byRequest.Clear();
        _byQueue.Clear();
        _inFlightJobs.Clear();
        _byDeadline.Clear();
        _pullingAhead.Clear();
        _keyed.Clear();
        _woken.Clear();
    }

    public void Arrive(NodeId originNode, Incarnation origin, ulong number, ReadOnlyMemory<byte> body, long waitUntilMicroseconds)
    {
        if (_term == Term.Zero)
        {
            Reject(originNode, NotAppliedReason.NoLeader, number);
            return;
        }

        if (_byRequest.TryGetValue((origin, number), out LeaseWaiter? known))
        {
            // A repeat: the caller's wait may be over by now.
            _byDeadline.Enqueue(known, Math.Min(waitUntilMicroseconds, known.WaitUntilMicroseconds));
            return;
        }

        if (_byRequest.Count >= node.Options.MaxLeaseWaiters || !TryRead(originNode, origin, number, body, waitUntilMicroseconds, out LeaseWaiter? waiter))
        {
            Reject(originNode, NotAppliedReason.Overloaded, number);
            return;
        }

        Register(waiter!);
        TryPropose(waiter!);
    }

    public void Cancel(Incarnation origin, ulong number)
    {
        if (!_byRequest.TryGetValue((origin, number), out LeaseWaiter? waiter)) return;
        waiter.IsCancelled = true;
        // A command that is under way decides first.
        if (!waiter.InFlight) AnswerEmpty(waiter, apply.Store.AppliedIndex);
    }

    /// <summary>The node is not connected any more: grants for it would reach nobody, perhaps.</summary>
    public void ForgetFrom(NodeId originNode)
    {
        List<LeaseWaiter> gone = [.. _byRequest.Values.Where(waiter => waiter.OriginNode == originNode)];
        foreach (LeaseWaiter waiter in gone) Forget(waiter);
    }

    /// <summary>An entry was applied: who got something is done, who lost keeps its place, and queues may have woken.</summary>
    public void Applied(ApplyOutput output)
    {
        if (_byRequest.Count == 0) return;
        foreach (GrantOutcome grant in output.Grants)
        {
            bool known = _byRequest.TryGetValue((grant.Origin, grant.RequestNumber), out LeaseWaiter? waiter);
            if (grant.Code == ResultCode.Ok && (!known || waiter!.IsKeyed)) _keyGranted = true;
            if (!known) continue;
            if (grant.Code != ResultCode.Empty)
            {
                Forget(waiter!);
                continue;
            }

            Land(waiter!);
            foreach (string queue in waiter!.Queues) _woken.Add(queue);
            if (waiter.IsCancelled) AnswerEmpty(waiter, apply.Store.AppliedIndex);
        }

        foreach (byte[] queue in output.QueueWakes) _woken.Add(Encoding.UTF8.GetString(queue));
    }

    /// <summary>Wakes who can be served and answers whose wait is over; returns when to look again.</summary>
    public long Serve(long nowMicroseconds)
    {
        if (_byRequest.Count == 0) return long.MaxValue;
        foreach (string queue in _woken) Wake(queue);
        _woken.Clear();
        if (_keyGranted && _keyed.Count > 0) WakeRepeats();
        _keyGranted = false;
        if (_landed) WakePullingAhead();
        _landed = false;
        long next = ServePullingAhead(nowMicroseconds);
        while (_byDeadline.TryPeek(out LeaseWaiter? waiter, out long deadline) && (waiter.IsOver || deadline <= nowMicroseconds))
        {
            _byDeadline.Dequeue();
            if (!waiter.IsOver) Confirm(waiter, nowMicroseconds);
        }

        return _byDeadline.TryPeek(out _, out long first) ? Math.Min(next, first) : next;
    }

    /// <summary>The round for an empty answer was confirmed, and the state is new enough.</summary>
    public void Confirmed(LeaseWaiter waiter, LogIndex index)
    {
        waiter.Confirming = false;
        if (waiter.IsOver) return;
        if (!waiter.InFlight && !TryPropose(waiter))
        {
            AnswerEmpty(waiter, index);
            return;
        }

        // Should its command lose the race, the wait is over then.
        _byDeadline.Enqueue(waiter, node.Clock.MonotonicMicroseconds + PullAheadCheckMicroseconds);
    }

    private void AnswerEmpty(LeaseWaiter waiter, LogIndex index)
    {
        Forget(waiter);
        if (waiter.OriginNode == node.Self)
        {
            if (!node.Replies.TryTake(waiter.Number, out PendingRequest? request)) return;
            request!.Complete(CommandOutcome.Applied(apply.Shard, index, ResultCode.Empty, default));
            return;
        }

        _buffer.Clear();
        ForwardCodec.WriteKind(_buffer, ForwardKind.LeaseEmpty);
        ForwardCodec.WriteUInt64(_buffer, waiter.Number);
        ForwardCodec.WriteUInt64(_buffer, (ulong)index.Value);
        node.Network.Send(waiter.OriginNode, FrameKind.Forward, apply.Shard, urgent: true, _buffer.WrittenSpan);
    }

    /// <summary>No leader confirmed the empty answer in time: it is tried again while this node leads.</summary>
    public void Unconfirmed(LeaseWaiter waiter)
    {
        waiter.Confirming = false;
        if (!waiter.IsOver) _byDeadline.Enqueue(waiter, node.Clock.MonotonicMicroseconds + PullAheadCheckMicroseconds);
    }

    private static bool TryRead(
        NodeId originNode,
        Incarnation origin,
        ulong number,
        ReadOnlyMemory<byte> body,
        long waitUntilMicroseconds,
        out LeaseWaiter? waiter)
    {
        waiter = null;
        if (!LeaseCommand.TryRead(body.Span, out LeaseCommand command)) return false;
        string[] queues = new string[command.QueueCount];
        MessagePackReader names = command.Queues;
        for (int i = 0; i < queues.Length; i++)
        {
            if (!names.TryReadString(out ReadOnlySpan<byte> name)) return false;
            queues[i] = Encoding.UTF8.GetString(name);
        }

        waiter = new LeaseWaiter
        {
            OriginNode = originNode,
            Origin = origin,
            Number = number,
            Body = body,
            Queues = queues,
            MaxJobs = command.MaxJobs,
            PullAheadMs = command.PullAheadMs,
            IsKeyed = command.Envelope.HasKey,
            WaitUntilMicroseconds = waitUntilMicroseconds,
        };
        return true;
    }

    private void Register(LeaseWaiter waiter)
    {
        _byRequest.Add((waiter.Origin, waiter.Number), waiter);
        _byDeadline.Enqueue(waiter, waiter.WaitUntilMicroseconds);
        if (waiter.PullAheadMs > 0) _pullingAhead.AddLast(waiter);
        if (waiter.IsKeyed) _keyed.AddLast(waiter);
        foreach (string queue in waiter.Queues)
        {
            if (!_byQueue.TryGetValue(queue, out LinkedList<LeaseWaiter>? list)) _byQueue.Add(queue, list = new());
            list.AddLast(waiter);
        }
    }

    private void Forget(LeaseWaiter waiter)
    {
        Land(waiter);
        waiter.IsOver = true;
        _byRequest.Remove((waiter.Origin, waiter.Number));
        if (waiter.PullAheadMs > 0) _pullingAhead.Remove(waiter);
        if (waiter.IsKeyed) _keyed.Remove(waiter);
        foreach (string queue in waiter.Queues)
        {
            if (!_byQueue.TryGetValue(queue, out LinkedList<LeaseWaiter>? list)) continue;
            list.Remove(waiter);
            if (list.Count == 0) _byQueue.Remove(queue);
        }

        DropFinishedDeadlines();
    }

    /// <summary>Deadlines of requests that were answered long before them are not kept until then.</summary>
    private void DropFinishedDeadlines()
    {
        if (_byDeadline.Count < MinDeadlinesToDrop || _byDeadline.Count < 4 * _byRequest.Count) return;
        List<(LeaseWaiter, long)> open = [.. _byDeadline.UnorderedItems.Where(item => !item.Element.IsOver)];
        _byDeadline.Clear();
        _byDeadline.EnqueueRange(open);
    }

    private void Wake(string queue)
    {
        if (!_byQueue.TryGetValue(queue, out LinkedList<LeaseWaiter>? list)) return;
        for (LinkedListNode<LeaseWaiter>? at = list.First; at is not null; at = at.Next)
        {
            if (at.Value.InFlight) continue;
            if (!TryPropose(at.Value) && Available(queue) <= 0) return;
        }
    }

    /// <summary>The first request under a key was granted: its repeats that wait here are told the same.</summary>
    private void WakeRepeats()
    {
        foreach (LeaseWaiter waiter in _keyed)
        {
            if (!waiter.InFlight) TryPropose(waiter);
        }
    }

    /// <summary>
    /// Commands came back: what they did not take is free for the next in the order of arrival. The first that finds nothing ends it, so that
    /// an entry costs no walk over everybody; who waits for another queue is looked at within 10 ms.
    /// </summary>
    private void WakePullingAhead()
    {
        foreach (LeaseWaiter waiter in _pullingAhead)
        {
            if (!waiter.InFlight && !TryPropose(waiter)) return;
        }
    }

    private long ServePullingAhead(long nowMicroseconds)
    {
        if (_pullingAhead.Count == 0) return long.MaxValue;
        if (nowMicroseconds - _pullAheadCheckedAt >= PullAheadCheckMicroseconds)
        {
            _pullAheadCheckedAt = nowMicroseconds;
            foreach (LeaseWaiter waiter in _pullingAhead)
            {
                if (!waiter.InFlight) TryPropose(waiter);
            }
        }

        return _pullAheadCheckedAt + PullAheadCheckMicroseconds;
    }

    /// <summary>
    /// Sends the lease command on its way if one of its queues has a job that no earlier one is about to take, or if its idempotency key
    /// is known: then apply tells what the first one got.
    /// </summary>
    private bool TryPropose(LeaseWaiter waiter)
    {
        bool isRepeat = waiter.IsKeyed && IsRemembered(waiter);
        foreach (string queue in waiter.Queues)
        {
            if (!isRepeat && Available(queue) <= 0 && !CanPullAhead(waiter, queue)) continue;
            waiter.InFlight = true;
            CollectionsMarshal.GetValueRefOrAddDefault(_inFlightJobs, queue, out _) += waiter.MaxJobs;
            waiter.InFlightQueue = queue;
            apply.Replica!.Post(new ProposeLease(apply.Shard, _term, waiter));
            return true;
        }

        return false;
    }

    private bool IsRemembered(LeaseWaiter waiter) =>
        LeaseCommand.TryRead(waiter.Body.Span, out LeaseCommand command) && apply.Store.Remembers(command.Envelope);

    private long Available(string queue)
    {
        Span<byte> name = stackalloc byte[QueueName.MaxLength];
        int length = Encoding.UTF8.GetBytes(queue, name);
        _inFlightJobs.TryGetValue(queue, out long inFlight);
        return apply.Store.ReadyCount(name[..length]) - inFlight;
    }

    private bool CanPullAhead(LeaseWaiter waiter, string queue)
    {
        if (waiter.PullAheadMs == 0) return false;
        _inFlightJobs.TryGetValue(queue, out long inFlight);
        Span<byte> name = stackalloc byte[QueueName.MaxLength];
        int length = Encoding.UTF8.GetBytes(queue, name);
        // The state's time is that of its last entry; the horizon moves on with the clock meanwhile.
        long sinceLastEntry = Math.Max(0, _clock!.NowMs - apply.Store.LastTimestampMs);
        return apply.Store.CanLease(name[..length], waiter.PullAheadMs + sinceLastEntry, inFlight);
    }

    private void Land(LeaseWaiter waiter)
    {
        if (!waiter.InFlight) return;
        waiter.InFlight = false;
        _landed = true;
        ref long jobs = ref CollectionsMarshal.GetValueRefOrAddDefault(_inFlightJobs, waiter.InFlightQueue!, out _);
        jobs -= waiter.MaxJobs;
        if (jobs <= 0) _inFlightJobs.Remove(waiter.InFlightQueue!);
    }

    private void Confirm(LeaseWaiter waiter, long nowMicroseconds)
    {
        if (waiter.Confirming) return;
        if (waiter.InFlight)
        {
            // Its command decides; should that come back empty, the wait is over then.
            _byDeadline.Enqueue(waiter, nowMicroseconds + PullAheadCheckMicroseconds);
            return;
        }

        waiter.Confirming = true;
        apply.Replica!.Post(new AddRead(new EmptyLeaseConfirmation(apply, waiter, nowMicroseconds)));
    }

    private void Reject(NodeId originNode, NotAppliedReason reason, ulong number)
    {
        if (originNode == node.Self)
        {
            apply.Replica!.Post(new RequestRejected(apply.Shard, originNode, reason, number));
            return;
        }

        _buffer.Clear();
        ForwardCodec.WriteKind(_buffer, ForwardKind.Rejected);
        _buffer.Write([(byte)reason]);
        ForwardCodec.WriteUInt64(_buffer, number);
        node.Network.Send(originNode, FrameKind.Forward, apply.Shard, urgent: true, _buffer.WrittenSpan);
    }
}
