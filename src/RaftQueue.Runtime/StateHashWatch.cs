using RaftQueue.Consensus;
using RaftQueue.MessagePack;
using RaftQueue.Pages;
using RaftQueue.Primitives;
using RaftQueue.Transport;

namespace RaftQueue.Runtime;

/// <summary>
/// Compares once a second with the other voters: the state hash at the index that is applied here, and the root hashes of the page
/// trees of checkpoints, which stand at positions that the log names. A node that differs from a majority stops: its state is wrong,
/// and it comes back with a peer's. While somebody differs and no majority is known to agree, a leader steps down, and whoever is in doubt
/// and leads serves nobody; when all have told and no majority agrees, every one stops. Replica loop.
/// </summary>
internal sealed class StateHashWatch
{
    private const long AskMicroseconds = 1_000_000;
    private const long GoBackMs = 30_000;

    private readonly NodeShared _node;
    private readonly CheckpointFiles _files;
    private readonly Compared[] _shards;
    private readonly PooledBuffer _buffer = new(256);
    private long _askedAt;

    public StateHashWatch(NodeShared node, CheckpointFiles files)
    {
        _node = node;
        _files = files;
        _shards = [.. Enumerable.Range(0, node.Options.Shards).Select(_ => new Compared())];
    }

    /// <summary>Before the loop starts: this is what the node begins with.</summary>
    public void BeginsWith(ShardId shard, LogIndex index, ulong root) => _shards[shard.Value].Roots.Add(index, root);

    /// <summary>
    /// A checkpoint was written. One that was taken over from a peer says nothing about who is right, and is not told; the next is.
    /// </summary>
    public void HasCheckpoint(ShardReplica shard, LogIndex index, ulong root)
    {
        CheckpointRoots roots = _shards[shard.Shard.Value].Roots;
        roots.Add(index, root);
        if (shard.Raft.Membership is not { } membership) return;
        // Told before it is judged: who stops for it has said what it had.
        TellRoots(shard.Shard, roots, membership.Voters);
        JudgeRoots(shard);
    }

    public void Sweep(ReplicaLoop loop, long nowMicroseconds)
    {
        if (nowMicroseconds - _askedAt < AskMicroseconds) return;
        _askedAt = nowMicroseconds;
        foreach (ShardReplica shard in loop.Shards)
        {
            if (shard.Raft.Membership is not { } membership) continue;
            EndRound(shard, membership.Voters, nowMicroseconds / 1000);
            BeginRound(shard, membership.Voters);
        }
    }

    /// <summary>A peer has this state hash at the index that it was asked about.</summary>
    public void Answered(ShardReplica shard, NodeId peer, LogIndex index, ulong hash)
    {
        if (_shards[shard.Shard.Value].Round is not { } round || round.Index != index || !IsVoter(shard, peer)) return;
        round.Votes.Add(peer, hash);
        Obey(shard, Weigh(shard, round), "state hash", index, round.Hash);
    }

    /// <summary>A peer has checkpoints with these roots; garbage changes nothing.</summary>
    public void RootsTold(ShardReplica shard, NodeId peer, ReadOnlySpan<byte> payload)
    {
        if (!IsVoter(shard, peer)) return;
        CheckpointRoots roots = _shards[shard.Shard.Value].Roots;
        for (int i = 0; i < CheckpointRoots.Kept; i++)
        {
            if (!ForwardCodec.TryReadIndex(ref payload, out LogIndex index) || !ForwardCodec.TryReadUInt64(ref payload, out ulong root)) break;
            roots.Told(peer, index, root);
        }

        JudgeRoots(shard);
    }

    private static bool IsVoter(ShardReplica shard, NodeId peer) =>
        shard.Raft.Membership is { } membership && membership.Voters.Any(voter => voter.Id == peer);

    private HashVerdict Weigh(ShardReplica shard, Round round) =>
        round.Votes.Weigh(_node.Self, round.Hash, shard.Raft.Membership!.Voters);

    private void JudgeRoots(ShardReplica shard)
    {
        if (shard.Raft.Membership is not { } membership) return;
        (HashVerdict verdict, LogIndex index, ulong root) = _shards[shard.Shard.Value].Roots.Judge(_node.Self, membership.Voters);
        _files.Agreed(shard.Shard, _shards[shard.Shard.Value].Roots.Agreed);
        Obey(shard, verdict, "page tree of the checkpoint", index, root);
    }

    private void Obey(ShardReplica shard, HashVerdict verdict, string what, LogIndex index, ulong hash)
    {
        if (verdict is not (HashVerdict.Outvoted or HashVerdict.NobodyAgrees)) return;
        bool outvoted = verdict == HashVerdict.Outvoted;
        string others = outvoted ? "a majority of the voters has another" : "no majority of the voters agrees on any";
        string message = $"shard {shard.Shard}: {what} at index {index} is {hash:x16} here, {others}; this node stops";
        _node.Log.Error(message);
        if (outvoted) _files.TryMark(shard.Shard, StateMark.Repair);
        throw new StateDivergedException(message);
    }

    /// <summary>
    /// What is still undecided after a second in which all had time to answer. Where nobody answered nothing is learned: who was in doubt
    /// still is.
    /// </summary>
    private void EndRound(ShardReplica shard, IReadOnlyList<MemberInfo> voters, long nowMs)
    {
        Compared compared = _shards[shard.Shard.Value];
        if (compared.Round is { } round)
        {
            HashVerdict verdict = Weigh(shard, round);
            if (verdict != HashVerdict.Open) compared.HashDoubted = verdict == HashVerdict.Doubted;
        }

        compared.Roots.KeepOnly(voters);
        (HashVerdict roots, LogIndex index, _) = compared.Roots.Judge(_node.Self, voters);
        bool doubted = roots == HashVerdict.Doubted;
        bool rootsDoubted = doubted && compared.RootsDoubtedBefore;
        compared.RootsDoubtedBefore = doubted;
        if (compared.HashDoubted || rootsDoubted)
            shard.Differing = [.. compared.Roots.Differing(), .. compared.Round?.Votes.Differing(compared.Round.Hash) ?? []];
        shard.OthersDiffer = compared.Roots.OthersDiffer();
        SetInDoubt(shard, compared.HashDoubted || rootsDoubted, compared.HashDoubted ? compared.Round!.Index : index, nowMs);
        if (!shard.InDoubt) compared.DoubtedSinceMs = nowMs;
        else if (nowMs - compared.DoubtedSinceMs >= GoBackMs) ConsiderGoingBack(shard, voters);
    }

    /// <summary>
    /// Nobody came who could decide; where the third node needs a checkpoint nobody will, because none is given while it is doubted. But the
    /// doubters have the same log, and a checkpoint in front of it on which a majority agreed: whose state came to be another since
    /// then gets the right one by applying the log again, and who was right gets the same once more. Both do so, once: what makes them
    /// differ again is no accident, and nobody but an operator can say which one is right.
    /// </summary>
    private void ConsiderGoingBack(ShardReplica shard, IReadOnlyList<MemberInfo> voters)
    {
        CheckpointFile file = _files[shard.Shard];
        CheckpointRoots roots = _shards[shard.Shard.Value].Roots;
        CheckpointInfo? agreed = new[] { file.Newest, file.Older }.FirstOrDefault(info => info is not null && roots.IsAgreed(info.Index, _node.Self, voters));
        if (agreed is null || _files.WentBack(shard.Shard) || !_files.TryMarkAgain(shard.Shard, agreed.Index)) return;
        string message = $"shard {shard.Shard}: the state is in doubt and nobody decides; this node stops, and its next start applies the log again"
            + $" from the checkpoint at {agreed.Index}, on which a majority agreed";
        _node.Log.Error(message);
        throw new StateDivergedException(message);
    }

    private void SetInDoubt(ShardReplica shard, bool inDoubt, LogIndex at, long nowMs)
    {
        if (inDoubt == shard.InDoubt) return;
        shard.InDoubt = inDoubt;
        _files.SetInDoubt(shard.Shard, inDoubt);
        if (!inDoubt)
        {
            _node.Log.Info($"shard {shard.Shard}: a majority agrees with the state here");
            return;
        }

        _node.Log.Error(
            $"shard {shard.Shard}: the state at index {at} is another than a voter's, and no majority is known to agree on any:"
            + " until one does this node serves nobody as a leader");
        if (shard.Raft.Role == Role.Leader) shard.Raft.StepDown("its state differs from others'", nowMs);
    }

    private void BeginRound(ShardReplica shard, IReadOnlyList<MemberInfo> voters)
    {
        Compared compared = _shards[shard.Shard.Value];
        (LogIndex index, ulong hash) = shard.Link.StateHash;
        if (index > LogIndex.Zero)
        {
            compared.Round = new Round(index, hash, new HashVotes());
            _buffer.Clear();
            ForwardCodec.WriteKind(_buffer, ForwardKind.HashWitness);
            ForwardCodec.WriteUInt64(_buffer, (ulong)index.Value);
            ForwardCodec.WriteUInt64(_buffer, hash);
            SendTo(voters, shard.Shard);
        }

        TellRoots(shard.Shard, compared.Roots, voters);
    }

    private void TellRoots(ShardId shard, CheckpointRoots roots, IReadOnlyList<MemberInfo> voters)
    {
        if (roots.Own.Count == 0) return;
        _buffer.Clear();
        ForwardCodec.WriteKind(_buffer, ForwardKind.CheckpointRoots);
        foreach ((LogIndex at, ulong root) in roots.Own)
        {
            ForwardCodec.WriteUInt64(_buffer, (ulong)at.Value);
            ForwardCodec.WriteUInt64(_buffer, root);
        }

        SendTo(voters, shard);
    }

    private void SendTo(IReadOnlyList<MemberInfo> voters, ShardId shard)
    {
        foreach (MemberInfo voter in voters)
        {
            if (voter.Id != _node.Self) _node.Network.Send(voter.Id, FrameKind.Forward, shard, urgent: true, _buffer.WrittenSpan);
        }
    }

    private sealed record Round(LogIndex Index, ulong Hash, HashVotes Votes);

    /// <summary>What is known of one shard.</summary>
    private sealed class Compared
    {
        public CheckpointRoots Roots { get; } = new();

        public Round? Round { get; set; }

        /// <summary>By the last round of state hashes that told anything.</summary>
        public bool HashDoubted { get; set; }

        /// <summary>When this node was not in doubt for the last time.</summary>
        public long DoubtedSinceMs { get; set; }

        /// <summary>A root was doubted a second ago. Others may still have been writing.</summary>
        public bool RootsDoubtedBefore { get; set; }
    }
}
