using RaftQueue.Jobs;
using RaftQueue.Jobs.Commands;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>
/// Takes requests from users of this node: gives each its number, bounds how many are under way, and hands them to the
/// replica loop. Safe from any thread.
/// </summary>
internal sealed class RequestDesk(NodeShared node, ReplicaLoop replica, IReadOnlyList<ShardApply> shards)
{
    private volatile bool _closed;

    /// <summary>From now on new requests are refused.</summary>
    public void Close() => _closed = true;

    public Task<CommandOutcome> SubmitAsync(ShardId shard, CommandType type, ReadOnlySpan<byte> body, bool finishing)
    {
        long now = node.Clock.MonotonicMicroseconds;
        return Send(shard, type, body.ToArray(), finishing, now, waitUntil: 0, out _);
    }

    public async Task<CommandOutcome> LeaseAsync(
        IReadOnlyList<LeaseSegment> segments, long waitMs, CancellationToken callerGone)
    {
        long until = node.Clock.MonotonicMicroseconds + (waitMs * 1000);
        CommandOutcome outcome = default;
        foreach (LeaseSegment segment in segments)
        {
            bool onlyOne = segments.Count == 1;
            outcome = await LeaseOnceAsync(segment, onlyOne ? until : 0, callerGone).ConfigureAwait(false);
            if (outcome is not { Kind: OutcomeKind.Applied, Code: ResultCode.Empty }) return outcome;
        }

        if (segments.Count == 1 || waitMs == 0) return outcome;
        return await LeaseFromAnyAsync(segments, until, callerGone).ConfigureAwait(false);
    }

    /// <summary>Gives granted leases back to the front of their queues.</summary>
    public void Revoke(ShardId shard, ReadOnlySpan<byte> leaseResult)
    {
        byte[]? body = RevokeBody.FromLeaseResult(leaseResult);
        if (body is null) return;
        // Nobody waits for this; should it be refused or lost, the leases run out by themselves.
        _ = Send(shard, CommandType.Revoke, body, finishing: true, node.Clock.MonotonicMicroseconds, waitUntil: 0, out _);
    }

    /// <summary>
    /// The leader says that a lease request of ours found nothing until its wait was over. It may not know that an earlier copy
    /// was granted through a leader before it: what is applied here up to <paramref name="index"/> has the first word.
    /// </summary>
    public void AnswerEmptyLease(ShardId shard, ulong number, LogIndex index)
    {
        if (!node.Replies.TryGet(number, out PendingRequest? request) || !request!.IsLease || request.Shard != shard) return;
        shards[shard.Value].AddReads([new EmptyLeaseAnswer(node, request, index)], index);
    }

    public void Read(PendingRead read, ReadConsistency consistency)
    {
        if (_closed || !node.Reads.TryAdd(read))
        {
            read.Undecided();
            return;
        }

        read.Table = node.Reads;
        if (consistency == ReadConsistency.Stale) shards[read.Shard.Value].ReadNow(read);
        else replica.Post(new AddRead(read));
        // Closed meanwhile: no loop may be there to run it.
        if (_closed) read.Undecided();
    }

    private Task<CommandOutcome> Send(
        ShardId shard, CommandType type, byte[] body, bool finishing, long now, long waitUntil, out PendingRequest? request)
    {
        request = null;
        if (_closed) return Task.FromResult(CommandOutcome.NotApplied(shard, NotAppliedReason.Stopping));
        if (body.Length > EntryHeader.MaxEntryBytes - EntryHeader.Size - CommandFrame.HeaderSize)
        {
            return Task.FromResult(CommandOutcome.NotApplied(shard, NotAppliedReason.TooLarge));
        }

        request = new PendingRequest(node.CompletionOptions)
        {
            Number = node.NextRequestNumber(),
            Shard = shard,
            Type = type,
            Body = body,
            Finishing = finishing,
            ArrivedMicroseconds = now,
            WaitUntilMicroseconds = waitUntil,
            DeadlineMicroseconds = Math.Max(now, waitUntil) + (node.Options.RequestTimeoutMs * 1000L),
        };
        if (!node.Replies.TryAdd(request))
        {
            return Task.FromResult(CommandOutcome.NotApplied(shard, NotAppliedReason.Overloaded));
        }

        if (_closed && node.Replies.TryTake(request.Number, out _))
        {
            // Closed meanwhile: no loop may be there to answer it.
            return Task.FromResult(CommandOutcome.NotApplied(shard, NotAppliedReason.Stopping));
        }

        replica.Post(new RouteRequest(request));
        return request.Task;
    }

    private async Task<CommandOutcome> LeaseOnceAsync(LeaseSegment segment, long until, CancellationToken callerGone)
    {
        Task<CommandOutcome> sent = Send(
            segment.Shard,
            CommandType.Lease,
            segment.Body.ToArray(),
            finishing: false,
            node.Clock.MonotonicMicroseconds,
            until,
            out PendingRequest? request);
        if (request is null) return await sent.ConfigureAwait(false);
        CommandOutcome outcome;
        using (callerGone.Register(() => replica.Post(new CancelLease(request)))) outcome = await sent.ConfigureAwait(false);
        if (callerGone.IsCancellationRequested && outcome is { Kind: OutcomeKind.Applied, Code: ResultCode.Ok } && !IsKeyed(segment.Body.Span))
        {
            Revoke(outcome.Shard, outcome.Result.Span);
        }

        return outcome;
    }

    /// <summary>What a keyed request is granted may be in the hands of who asked first, or is asked for again.</summary>
    internal static bool IsKeyed(ReadOnlySpan<byte> leaseBody) =>
        LeaseCommand.TryRead(leaseBody, out LeaseCommand command) && command.Envelope.HasKey;

    /// <summary>
    /// Waits in every shard at once; the first grant counts and later ones go back. Without one, a shard that may have granted something
    /// leaves the whole open, whatever the others say.
    /// </summary>
    private async Task<CommandOutcome> LeaseFromAnyAsync(
        IReadOnlyList<LeaseSegment> segments, long until, CancellationToken callerGone)
    {
        // Not disposed: the requests that lost still look at its token when their answer comes.
        var stopOthers = CancellationTokenSource.CreateLinkedTokenSource(callerGone);
        var waiting = new List<Task<CommandOutcome>>(segments.Count);
        foreach (LeaseSegment segment in segments) waiting.Add(LeaseOnceAsync(segment, until, stopOthers.Token));
        CommandOutcome outcome = default;
        while (waiting.Count > 0)
        {
            Task<CommandOutcome> first = await Task.WhenAny(waiting).ConfigureAwait(false);
            waiting.Remove(first);
            CommandOutcome next = await first.ConfigureAwait(false);
            bool isGrant = next is { Kind: OutcomeKind.Applied, Code: ResultCode.Ok };
            if (isGrant || outcome.Kind != OutcomeKind.Unknown) outcome = next;
            if (isGrant) break;
        }

        // The others are told; a grant that still comes there goes back, because its caller is gone.
        Cancel(stopOthers);
        return outcome;
    }

    // In the caller's thread: what is registered only posts to a loop, and a pool thread would make simulated runs differ.
    private static void Cancel(CancellationTokenSource source) => source.Cancel();
}
