using RaftQueue.Consensus;
using RaftQueue.Jobs;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>
/// One running node: its data directory, its loops, its peers. All members are safe from any thread.
/// </summary>
public sealed class Node : IAsyncDisposable
{
    private readonly NodeShared _shared;
    private readonly NodeParts _parts;
    private readonly TaskCompletionSource<Exception?> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _stopGate = new();
    private Task? _stopped;

    private Node(NodeShared shared, NodeParts parts)
    {
        _shared = shared;
        _parts = parts;
    }

    /// <summary>
    /// Opens the data directory, recovers, and starts loops and peers. Throws <see cref="NodeStartException"/> with one clear
    /// line when the directory is another cluster's or node's, is in use, or cannot be read.
    /// </summary>
    public static Node Start(NodeOptions options, NodeEnvironment environment)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(environment);
        NodeParts parts = NodeParts.Open(options, environment);
        var node = new Node(parts.Shared, parts);
        parts.StartLoops(environment.Loops, exception =>
        {
            parts.Shared.Log.Error("a loop failed; the node stops", exception);
            node._completion.TrySetResult(exception);
        });
        return node;
    }

    /// <summary>What it is made of, for the tests that watch a whole cluster from inside.</summary>
    internal NodeParts Parts => _parts;

    /// <summary>Completes when the node stopped: with null because it was asked to, else with the bug or the lost disk.</summary>
    public Task<Exception?> Completion => _completion.Task;

    /// <summary>It knows a leader for every shard, has applied what was committed at their last contact, and its state is not in doubt.</summary>
    public bool IsReady
    {
        get
        {
            if (_completion.Task.IsCompleted || _stopped is not null) return false;
            foreach (ShardApply shard in _parts.Applies)
            {
                if (shard.Link.View is not { InDoubt: false } view || view.Leader.IsNone) return false;
                if (shard.Link.AppliedIndex < view.KnownCommit || view.KnownCommit == LogIndex.Zero) return false;
            }

            return true;
        }
    }

    /// <summary>
    /// Sends a command through the log. <paramref name="body"/> is what the command's Write made; it is copied before the call
    /// returns. <paramref name="finishing"/> work is admitted when new work is refused.
    /// </summary>
    /// <remarks><paramref name="callerGone"/> ends the wait (with a cancellation), not the command.</remarks>
    public ValueTask<CommandOutcome> SubmitAsync(
        ShardId shard, CommandType type, ReadOnlySpan<byte> body, bool finishing, CancellationToken callerGone = default)
    {
        return new ValueTask<CommandOutcome>(_parts.Desk.SubmitAsync(shard, type, body, finishing).WaitAsync(callerGone));
    }

    /// <summary>
    /// One lease request: segments in strict order, each the body of a lease command for one shard. Answers as soon as one
    /// shard granted something, empty (<see cref="ResultCode.Empty"/> with no result) when <paramref name="waitMs"/> ran out.
    /// A grant that comes after <paramref name="callerGone"/> was cancelled is taken back, unless the request has an idempotency key:
    /// then the leases may be in the hands of another call under it.
    /// </summary>
    public ValueTask<CommandOutcome> LeaseAsync(
        IReadOnlyList<LeaseSegment> segments, long waitMs, CancellationToken callerGone) =>
        new(_parts.Desk.LeaseAsync(segments, waitMs, callerGone));

    /// <summary>Takes back the grants of a lease result of which not a byte reached the caller.</summary>
    public void Revoke(ShardId shard, ReadOnlySpan<byte> leaseResult) => _parts.Desk.Revoke(shard, leaseResult);

    /// <summary>Runs <paramref name="read"/> on the apply loop between entries, linearizably or on what is applied here.</summary>
    public ValueTask<ReadOutcome> ReadAsync<TArgument>(
        ShardId shard,
        ReadConsistency consistency,
        TArgument argument,
        StateRead<TArgument> read,
        CancellationToken cancel = default)
    {
        var pending = new PendingStateRead<TArgument>(shard, _shared.Clock.MonotonicMicroseconds, argument, read, _shared.CompletionOptions);
        _parts.Desk.Read(pending, consistency);
        return new ValueTask<ReadOutcome>(pending.Task.WaitAsync(cancel));
    }

    /// <summary>Reads a job, holding the answer for up to <paramref name="waitMs"/> until the job is finished.</summary>
    public ValueTask<ReadOutcome> ReadJobAsync(
        JobId id, bool withPayload, long waitMs, ReadConsistency consistency, CancellationToken cancel = default)
    {
        if (id.Shard.Value >= _shared.Options.Shards) return ValueTask.FromResult(new ReadOutcome(true, false, id.Shard, default, default));
        long now = _shared.Clock.MonotonicMicroseconds;
        var pending = new PendingJobRead(id, withPayload, now, now + (waitMs * 1000), _shared.CompletionOptions);
        _parts.Desk.Read(pending, consistency);
        return new ValueTask<ReadOutcome>(pending.Task.WaitAsync(cancel));
    }

    /// <summary>What this node knows at this moment; never waits.</summary>
    public NodeStatus Status()
    {
        var shards = new List<ShardStatus>(_parts.Applies.Length);
        foreach (ShardApply shard in _parts.Applies) shards.Add(Describe(shard));
        LoopMeter[] meters = [_shared.ReplicaMeter, _shared.ApplyMeter, _shared.Wal.Meter!];
        return new NodeStatus(_shared.Options.ClusterId, _shared.Self, _shared.Incarnation, shards, [.. meters.Select(Describe)]);
    }

    /// <summary>The state hash at an index, for the last 100,000 that this node applied since it started; null otherwise.</summary>
    public ValueTask<ulong?> StateHashAtAsync(ShardId shard, LogIndex index)
    {
        var read = new PendingHashRead(shard, _shared.Clock.MonotonicMicroseconds, index, _shared.CompletionOptions);
        _parts.Desk.Read(read, ReadConsistency.Stale);
        return new ValueTask<ulong?>(read.Task);
    }

    /// <summary>
    /// Hands over leadership, lets what is under way finish for at most <paramref name="drain"/>, and closes everything.
    /// Idempotent.
    /// </summary>
    public Task StopAsync(TimeSpan drain)
    {
        lock (_stopGate) return _stopped ??= StopOnceAsync(drain);
    }

    public async ValueTask DisposeAsync() => await StopAsync(TimeSpan.Zero).ConfigureAwait(false);

    private async Task StopOnceAsync(TimeSpan drain)
    {
        long deadline = _shared.Clock.MonotonicMicroseconds + (long)drain.TotalMicroseconds;
        var stop = new NodeStop(_shared, deadline);
        if (!_completion.Task.IsCompleted)
        {
            _parts.Replica.Post(new BeginStop(stop));
            await Task.WhenAny(stop.Drained, _completion.Task).ConfigureAwait(false);
        }

        _parts.Desk.Close();
        await _parts.CloseAsync().ConfigureAwait(false);
        _completion.TrySetResult(null);
    }

    private ShardStatus Describe(ShardApply shard)
    {
        ShardLink link = shard.Link;
        (LogIndex hashIndex, ulong hash) = link.StateHash;
        ShardView? view = link.View;
        // The view is made now and then only; what is applied is committed, and what is committed is in the log.
        LogIndex applied = link.AppliedIndex;
        LogIndex committed = Later(view?.CommitIndex ?? LogIndex.Zero, applied);
        LogIndex last = Later(view?.LastIndex ?? LogIndex.Zero, committed);
        var members = new List<MemberStatus>();
        if (view?.Membership is { } membership)
        {
            foreach (MemberInfo member in membership.Voters) members.Add(Describe(member, view, last, isVoter: true));
            foreach (MemberInfo member in membership.Learners) members.Add(Describe(member, view, last, isVoter: false));
        }

        return new ShardStatus(
            shard.Shard,
            (view?.Role ?? Role.Follower) switch
            {
                Role.Leader => "leader",
                Role.Candidate or Role.PreCandidate => "candidate",
                _ => "follower",
            },
            view?.Term ?? Term.Zero,
            view?.Leader ?? NodeId.None,
            committed,
            applied,
            last,
            hashIndex,
            hash,
            link.Pages,
            link.Checkpoint,
            members,
            link.Transfer,
            link.Mending,
            view?.InDoubt ?? false);
    }

    private static LoopStatus Describe(LoopMeter meter) => new(
        meter.Loop, [.. Enum.GetValues<LoopPhase>().Select(phase => (phase, meter.Longest(phase))).Where(each => each.Item2 > 0)]);

    private static LogIndex Later(LogIndex left, LogIndex right) => left > right ? left : right;

    private MemberStatus Describe(MemberInfo member, ShardView view, LogIndex last, bool isVoter)
    {
        bool isSelf = member.Id == _shared.Self;
        LogIndex match = isSelf ? last : LogIndex.Zero;
        long lagMs = 0;
        foreach (PeerProgress peer in view.Peers)
        {
            if (peer.Id != member.Id || isSelf) continue;
            match = peer.Match;
            if (peer.LastHeardMs >= 0) lagMs = Math.Max(0, (_shared.Clock.MonotonicMicroseconds / 1000) - peer.LastHeardMs);
        }

        return new MemberStatus(
            member.Id, member.HttpAddress, isVoter, match, lagMs, isSelf || _parts.Replica.Peers.IsConnected(member.Id));
    }
}
