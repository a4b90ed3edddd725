using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>What a peer sent beside Raft. Garbage changes nothing.</summary>
internal sealed class ForwardFrame(NodeId peer, ShardId shardId, ReadOnlyMemory<byte> payload) : IReplicaInput
{
    public void Run(ReplicaLoop loop, long nowMicroseconds)
    {
        ReadOnlySpan<byte> rest = payload.Span;
        if (shardId.Value >= loop.Shards.Count || !ForwardCodec.TryReadKind(ref rest, out ForwardKind kind)) return;
        ShardReplica shard = loop.Shard(shardId);
        switch (kind)
        {
            case ForwardKind.Commands:
                shard.Proposals.AddForwarded(peer, payload[1..]);
                break;
            case ForwardKind.Rejected:
                if (ForwardCodec.TryReadByte(ref rest, out byte reason) && ForwardCodec.TryReadUInt64(ref rest, out ulong rejected))
                {
                    shard.Router.Rejected(peer, (NotAppliedReason)reason, rejected);
                }

                break;
            case ForwardKind.ReadIndex:
                if (ForwardCodec.TryReadUInt64(ref rest, out ulong asked)) shard.Reads.Asked(peer, asked, nowMicroseconds);
                break;
            case ForwardKind.ReadIndexReply:
                ReadReply(shard, rest, nowMicroseconds);
                break;
            case ForwardKind.Lease:
                Lease(loop, shard, rest, nowMicroseconds);
                break;
            case ForwardKind.LeaseEmpty:
                if (ForwardCodec.TryReadUInt64(ref rest, out ulong empty) && ForwardCodec.TryReadIndex(ref rest, out LogIndex at))
                {
                    loop.Requests.AnswerEmptyLease(shardId, empty, at);
                }

                break;
            case ForwardKind.LeaseCancel:
                if (ForwardCodec.TryReadUInt64(ref rest, out ulong cancelled) && loop.IncarnationOf(peer) is { } origin)
                {
                    shard.Apply.CancelLease(origin, cancelled);
                }

                break;
            case ForwardKind.HashWitness:
            case ForwardKind.HashReply:
                Hash(loop, shard, kind, rest);
                break;
            case ForwardKind.CheckpointRoots:
                loop.Hashes.RootsTold(shard, peer, rest);
                break;
            case ForwardKind.Named:
                if (ForwardCodec.TryReadUInt64(ref rest, out ulong term) && ForwardCodec.TryReadIndex(ref rest, out LogIndex namedAt))
                {
                    loop.SaysItsName(shard, peer, new Term((long)term), namedAt, nowMicroseconds);
                }

                break;
            default:
                break;
        }
    }

    private void Lease(ReplicaLoop loop, ShardReplica shard, ReadOnlySpan<byte> rest, long nowMicroseconds)
    {
        if (!ForwardCodec.TryReadUInt64(ref rest, out ulong number) || !ForwardCodec.TryReadUInt64(ref rest, out ulong waitMs)) return;
        if (waitMs > ForwardCodec.MaxWaitMs || loop.IncarnationOf(peer) is not { } origin) return;
        if (shard.InDoubt)
        {
            shard.Proposals.Reject(peer, NotAppliedReason.NoLeader, number);
            return;
        }

        ReadOnlyMemory<byte> body = payload[(payload.Length - rest.Length)..];
        shard.Apply.LeaseArrived(peer, origin, number, body, nowMicroseconds + ((long)waitMs * 1000));
    }

    private static void ReadReply(ShardReplica shard, ReadOnlySpan<byte> rest, long nowMicroseconds)
    {
        if (ForwardCodec.TryReadUInt64(ref rest, out ulong batch)
            && ForwardCodec.TryReadByte(ref rest, out byte granted)
            && ForwardCodec.TryReadIndex(ref rest, out LogIndex index))
        {
            shard.Reads.Answered(batch, granted == 1, index, nowMicroseconds);
        }
    }

    private void Hash(ReplicaLoop loop, ShardReplica shard, ForwardKind kind, ReadOnlySpan<byte> rest)
    {
        if (!ForwardCodec.TryReadIndex(ref rest, out LogIndex index) || !ForwardCodec.TryReadUInt64(ref rest, out ulong hash)) return;
        if (kind == ForwardKind.HashWitness) shard.Apply.HashAsked(peer, index);
        else loop.Hashes.Answered(shard, peer, index, hash);
    }
}
