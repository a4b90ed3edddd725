using RaftQueue.MessagePack;

namespace RaftQueue.Jobs.Commands;

/// <summary>One token of an ack: <c>[ slot, sequence, fence, result|nil ]</c>; the result is JSON text.</summary>
public ref struct AckItem : ITokenItem<AckItem>
{
    private const int FieldCount = LeaseReference.FieldCount + 1;

    public LeaseReference Lease;

    /// <summary>JSON text; empty when none was given.</summary>
    public ReadOnlySpan<byte> Result;

    public readonly void Write(in MessagePackWriter writer)
    {
        writer.WriteArrayHeader(FieldCount);
        Lease.Write(writer);
        if (Result.IsEmpty) writer.WriteNil();
        else writer.WriteBinary(Result);
    }

    public static bool TryRead(scoped ref MessagePackReader reader, out AckItem item)
    {
        item = default;
        return LeaseReference.TryReadStart(ref reader, FieldCount, out int extra, out item.Lease)
            && reader.TryReadBinaryOrNil(out item.Result, out _)
            && item.Result.Length <= JobLimits.MaxPayloadBytes
            && reader.TrySkipMany(extra);
    }
}
