using System.Diagnostics.CodeAnalysis;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;

namespace RaftQueue.Transport;

/// <summary>The payload of a transfer request.</summary>
internal sealed record TransferRequest(ShardId Shard, LogIndex AtLeast, TransferResume? Resume)
{
    private const int FieldCount = 5;

    public void Encode(PooledBuffer output)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteArrayHeader(FieldCount);
        writer.WriteInt64(Shard.Value);
        writer.WriteInt64(AtLeast.Value);
        writer.WriteInt64(Resume?.Position ?? 0);
        writer.WriteInt64(Resume?.TotalBytes ?? 0);
        if (Resume is null) writer.WriteNil();
        else writer.WriteBinary(Resume.Info.Span);
    }

    public static bool TryDecode(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out TransferRequest? request)
    {
        request = null;
        var reader = new MessagePackReader(bytes);
        bool read = reader.TryReadArrayHeader(out int fields) & fields >= FieldCount
            & reader.TryReadInt32(out int shard)
            & reader.TryReadInt64(out long atLeast)
            & reader.TryReadInt64(out long position)
            & reader.TryReadInt64(out long total)
            & reader.TryReadBinaryOrNil(out ReadOnlySpan<byte> info, out bool fresh);
        for (int i = FieldCount; read && i < fields; i++) read = reader.TrySkip();
        bool possible = read && reader.IsAtEnd && shard is >= 0 and <= ushort.MaxValue && atLeast >= 0
            && position >= 0 && position <= total && info.Length <= TransferLimits.MaxInfoBytes;
        if (!possible) return false;
        TransferResume? resume = fresh ? null : new TransferResume(info.ToArray(), total, position);
        request = new TransferRequest(new ShardId((ushort)shard), new LogIndex(atLeast), resume);
        return true;
    }
}
