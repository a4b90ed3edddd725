using System.Diagnostics.CodeAnalysis;
using RaftQueue.MessagePack;

namespace RaftQueue.Transport;

/// <summary>The answer to a <see cref="TransferRequest"/>: <c>[ outcome, info bin ]</c>.</summary>
internal sealed record TransferHead(TransferOutcome Outcome, ReadOnlyMemory<byte> Info)
{
    private const int FieldCount = 2;

    public void Encode(PooledBuffer output)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteArrayHeader(FieldCount);
        writer.WriteInt64((byte)Outcome);
        writer.WriteBinary(Info.Span);
    }

    public static bool TryDecode(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out TransferHead? head)
    {
        head = null;
        var reader = new MessagePackReader(bytes);
        bool read = reader.TryReadArrayHeader(out int fields) & fields >= FieldCount
            & reader.TryReadInt32(out int outcome)
            & reader.TryReadBinary(out ReadOnlySpan<byte> info);
        for (int i = FieldCount; read && i < fields; i++) read = reader.TrySkip();
        bool possible = read && reader.IsAtEnd && outcome is >= 0 and <= (int)TransferOutcome.NotAvailable
            && info.Length <= TransferLimits.MaxInfoBytes;
        if (!possible) return false;
        head = new TransferHead((TransferOutcome)outcome, info.ToArray());
        return true;
    }
}
