using System.Diagnostics.CodeAnalysis;
using RaftQueue.MessagePack;

namespace RaftQueue.Transport;

/// <summary>The first chunk of a transfer: the answer to the request.</summary>
internal sealed record TransferHead(TransferOutcome Outcome, long TotalBytes, ReadOnlyMemory<byte> Info)
{
    private const int FieldCount = 3;

    public void Encode(PooledBuffer output)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteArrayHeader(FieldCount);
        writer.WriteInt64((byte)Outcome);
        writer.WriteInt64(TotalBytes);
        writer.WriteBinary(Info.Span);
    }

    public static bool TryDecode(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out TransferHead? head)
    {
        head = null;
        var reader = new MessagePackReader(bytes);
        bool read = reader.TryReadArrayHeader(out int fields) & fields >= FieldCount
            & reader.TryReadInt32(out int outcome)
            & reader.TryReadInt64(out long total)
            & reader.TryReadBinary(out ReadOnlySpan<byte> info);
        for (int i = FieldCount; read && i < fields; i++) read = reader.TrySkip();
        bool possible = read && reader.IsAtEnd && outcome is >= 0 and <= (int)TransferOutcome.Changed && total >= 0
            && info.Length <= TransferLimits.MaxInfoBytes;
        if (!possible) return false;
        head = new TransferHead((TransferOutcome)outcome, total, info.ToArray());
        return true;
    }
}
