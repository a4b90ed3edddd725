using RaftQueue.MessagePack;
using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>
/// What a receiver must know of a checkpoint first: <c>[ shard, index, term, timestampMs, stateHash, membership bin ]</c>.
/// </summary>
internal static class CheckpointInfoCodec
{
    private const int FieldCount = 6;

    public static byte[] Encode(CheckpointInfo info)
    {
        using var buffer = new PooledBuffer(256);
        var writer = new MessagePackWriter(buffer);
        writer.WriteArrayHeader(FieldCount);
        writer.WriteInt64(info.Shard.Value);
        writer.WriteInt64(info.Index.Value);
        writer.WriteInt64(info.Term.Value);
        writer.WriteInt64(info.TimestampMs);
        writer.WriteUInt64(info.StateHash);
        writer.WriteBinary(info.Membership);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Null for anything that <see cref="Encode"/> does not write.</summary>
    public static CheckpointInfo? Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new MessagePackReader(bytes);
        bool read = reader.TryReadArrayHeader(out int fields) & fields >= FieldCount
            & reader.TryReadInt32(out int shard) & reader.TryReadInt64(out long index) & reader.TryReadInt64(out long term)
            & reader.TryReadInt64(out long timestampMs) & reader.TryReadUInt64(out ulong stateHash)
            & reader.TryReadBinary(out ReadOnlySpan<byte> membership);
        if (!read || shard is < 0 or > ushort.MaxValue || index <= 0 || term <= 0) return null;
        if (membership.Length > CheckpointInfo.MaxMembershipBytes) return null;
        return new CheckpointInfo
        {
            Shard = new ShardId((ushort)shard),
            Index = new LogIndex(index),
            Term = new Term(term),
            TimestampMs = timestampMs,
            StateHash = stateHash,
            Membership = membership.ToArray(),
        };
    }
}
