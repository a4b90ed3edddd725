using RaftQueue.Consensus;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;
using RaftQueue.Transport;

namespace RaftQueue.Runtime;

/// <summary>
/// Compares this node's state hash with its peers' once a second. A node that differs from a majority stops: its state is
/// wrong, and it comes back with a peer's. Replica loop.
/// </summary>
internal sealed class StateHashWatch(NodeShared node, CheckpointFiles files)
{
    private const long AskMicroseconds = 1_000_000;

    private readonly Dictionary<ShardId, Round> _rounds = [];
    private readonly PooledBuffer _buffer = new(64);
    private long _askedAt;

    public void Sweep(ReplicaLoop loop, long nowMicroseconds)
    {
        if (nowMicroseconds - _askedAt < AskMicroseconds) return;
        _askedAt = nowMicroseconds;
        foreach (ShardReplica shard in loop.Shards)
        {
            (LogIndex index, ulong hash) = shard.Link.StateHash;
            if (index == LogIndex.Zero || shard.Raft.Membership is not { } membership) continue;
            _rounds[shard.Shard] = new Round(index, hash, []);
            _buffer.Clear();
            ForwardCodec.WriteKind(_buffer, ForwardKind.HashWitness);
            ForwardCodec.WriteUInt64(_buffer, (ulong)index.Value);
            ForwardCodec.WriteUInt64(_buffer, hash);
            foreach (MemberInfo voter in membership.Voters)
            {
                if (voter.Id == node.Self) continue;
                node.Network.Send(voter.Id, FrameKind.Forward, shard.Shard, urgent: true, _buffer.WrittenSpan);
            }
        }
    }

    public void Answered(ShardReplica shard, NodeId peer, LogIndex index, ulong hash)
    {
        if (!_rounds.TryGetValue(shard.Shard, out Round? round) || round.Index != index) return;
        if (shard.Raft.Membership is not { } membership || !membership.IsVoter(peer)) return;
        round.Answers[peer] = hash;
        Judge(shard, round, membership.Voters.Count);
    }

    private void Judge(ShardReplica shard, Round round, int voters)
    {
        int majority = (voters / 2) + 1;
        int same = 1;
        int largestOther = 0;
        foreach (ulong answer in round.Answers.Values)
        {
            if (answer == round.Hash) same++;
            else largestOther = Math.Max(largestOther, round.Answers.Values.Count(other => other == answer));
        }

        if (same >= majority) return;
        bool outvoted = largestOther >= majority;
        bool nobodyIsRight = round.Answers.Count == voters - 1;
        if (!outvoted && !nobodyIsRight) return;
        string verdict = outvoted ? "a majority of the voters has another" : "no majority of the voters agrees on any";
        string message = $"shard {shard.Shard}: state hash at index {round.Index} is {round.Hash:x16} here, {verdict}; this node stops";
        node.Log.Error(message);
        if (outvoted) StateMark.Repair.Set(files, shard.Shard);
        throw new StateDivergedException(message);
    }

    private sealed record Round(LogIndex Index, ulong Hash, Dictionary<NodeId, ulong> Answers);
}
