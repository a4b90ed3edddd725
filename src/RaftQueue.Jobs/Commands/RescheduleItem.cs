using RaftQueue.MessagePack;

namespace RaftQueue.Jobs.Commands;

/// <summary>
/// One token of a reschedule:
/// <c>[ slot, sequence, fence, delayMs|nil, runAtMs|nil, payloadKind|nil, payload|nil, contentType|nil, priority|nil ]</c>.
/// </summary>
public ref struct RescheduleItem : ITokenItem<RescheduleItem>
{
    private const int FieldCount = LeaseReference.FieldCount + 6;

    public LeaseReference Lease;

    /// <summary>At most one of this and <see cref="RunAtMs"/>; neither means now.</summary>
    public long? DelayMs;
    public long? RunAtMs;

    /// <summary>Null: the payload stays.</summary>
    public PayloadKind? PayloadKind;
    public ReadOnlySpan<byte> Payload;
    public ReadOnlySpan<byte> ContentType;

    /// <summary>Null: the priority stays.</summary>
    public int? Priority;

    public readonly void Write(in MessagePackWriter writer)
    {
        writer.WriteArrayHeader(FieldCount);
        Lease.Write(writer);
        writer.WriteInt64OrNil(DelayMs);
        writer.WriteInt64OrNil(RunAtMs);
        writer.WriteInt64OrNil((long?)PayloadKind);
        if (PayloadKind is null or Jobs.PayloadKind.None) writer.WriteNil();
        else writer.WriteBinary(Payload);
        writer.WriteStringOrNil(ContentType);
        writer.WriteInt64OrNil(Priority);
    }

    public static bool TryRead(scoped ref MessagePackReader reader, out RescheduleItem item)
    {
        item = default;
        return LeaseReference.TryReadStart(ref reader, FieldCount, out int extra, out item.Lease)
            && reader.TryReadInt64OrNil(out item.DelayMs)
            && Bounds.IsDurationOrNull(item.DelayMs)
            && reader.TryReadInt64OrNil(out item.RunAtMs)
            && item.RunAtMs is null or <= JobLimits.MaxTimeMs
            && !(item.DelayMs is not null && item.RunAtMs is not null)
            && TryReadPayload(ref reader, out item.PayloadKind, out item.Payload)
            && reader.TryReadStringOrNil(out item.ContentType, out _)
            && item.ContentType.Length <= JobLimits.MaxContentTypeBytes
            && reader.TryReadInt32OrNil(out item.Priority)
            && item.Priority is null or (>= 0 and <= JobLimits.MaxPriority)
            && reader.TrySkipMany(extra);
    }

    private static bool TryReadPayload(
        scoped ref MessagePackReader reader,
        out PayloadKind? kind,
        out ReadOnlySpan<byte> payload)
    {
        payload = default;
        kind = null;
        if (!reader.TryReadInt32OrNil(out int? number) || number is < 0 or > (int)Jobs.PayloadKind.Bytes) return false;
        kind = (PayloadKind?)number;
        if (reader.TryReadNil()) return number is null or 0;
        return number is > 0 && reader.TryReadBinary(out payload) && payload.Length <= JobLimits.MaxPayloadBytes;
    }
}
