using System.Diagnostics.CodeAnalysis;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;

namespace RaftQueue.Transport;

/// <summary>Asks for the newest checkpoint of a shard: <c>[ shard, atLeast ]</c>.</summary>
internal sealed record TransferRequest(ShardId Shard, LogIndex AtLeast)
{
    private const int FieldCount = 2;

    public void Encode(PooledBuffer output)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteArrayHeader(FieldCount);
        writer.WriteInt64(Shard.Value);
        writer.WriteInt64(AtLeast.Value);
    }

    public static bool TryDecode(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out TransferRequest? request)
    {
        request = null;
        var reader = new MessagePackReader(bytes);
        bool read = reader.TryReadArrayHeader(out int fields) & fields >= FieldCount
            & reader.TryReadInt32(out int shard)
            & reader.TryReadInt64(out long atLeast);
        for (int i = FieldCount; read && i < fields; i++) read = reader.TrySkip();
        if (!read || !reader.IsAtEnd || shard is < 0 or > ushort.MaxValue || atLeast < 0) return false;
        request = new TransferRequest(new ShardId((ushort)shard), new LogIndex(atLeast));
        return true;
    }
}
