using RaftQueue.MessagePack;
using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>
/// What a receiver must know of a checkpoint first:
/// <c>[ shard, index, term, timestampMs, stateHash, membership bin, rootHash, pages ]</c>.
/// </summary>
internal static class CheckpointInfoCodec
{
    private const int FieldCount = 8;

    public static byte[] Encode(in OfferedCheckpoint offered)
    {
        CheckpointInfo info = offered.Info;
        using var buffer = new PooledBuffer(256);
        var writer = new MessagePackWriter(buffer);
        writer.WriteArrayHeader(FieldCount);
        writer.WriteInt64(info.Shard.Value);
        writer.WriteInt64(info.Index.Value);
        writer.WriteInt64(info.Term.Value);
        writer.WriteInt64(info.TimestampMs);
        writer.WriteUInt64(info.StateHash);
        writer.WriteBinary(info.Membership);
        writer.WriteUInt64(offered.RootHash);
        writer.WriteInt64(offered.Pages);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Null for anything that <see cref="Encode"/> does not write.</summary>
    public static OfferedCheckpoint? Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new MessagePackReader(bytes);
        bool read = reader.TryReadArrayHeader(out int fields) & fields >= FieldCount
            & reader.TryReadInt32(out int shard) & reader.TryReadInt64(out long index) & reader.TryReadInt64(out long term)
            & reader.TryReadInt64(out long timestampMs) & reader.TryReadUInt64(out ulong stateHash)
            & reader.TryReadBinary(out ReadOnlySpan<byte> membership)
            & reader.TryReadUInt64(out ulong rootHash) & reader.TryReadInt64(out long pages);
        if (!read || shard is < 0 or > ushort.MaxValue || index <= 0 || term <= 0) return null;
        if (membership.Length > CheckpointInfo.MaxMembershipBytes) return null;
        var info = new CheckpointInfo
        {
            Shard = new ShardId((ushort)shard),
            Index = new LogIndex(index),
            Term = new Term(term),
            TimestampMs = timestampMs,
            StateHash = stateHash,
            Membership = membership.ToArray(),
        };
        return new OfferedCheckpoint(info, rootHash, pages);
    }
}
