using RaftQueue.MessagePack;

namespace RaftQueue.Jobs.Commands;

/// <summary>One token of a nack: <c>[ slot, sequence, fence, error|nil, delayMs|nil, dead ]</c>.</summary>
public ref struct NackItem : ITokenItem<NackItem>
{
    private const int FieldCount = LeaseReference.FieldCount + 3;

    public LeaseReference Lease;

    /// <summary>UTF-8, at most <see cref="JobLimits.MaxErrorBytes"/>; empty when none was given.</summary>
    public ReadOnlySpan<byte> Error;

    /// <summary>Null: the back-off.</summary>
    public long? DelayMs;

    /// <summary>No further attempt.</summary>
    public bool Dead;

    public readonly void Write(in MessagePackWriter writer)
    {
        writer.WriteArrayHeader(FieldCount);
        Lease.Write(writer);
        writer.WriteStringOrNil(Error);
        writer.WriteInt64OrNil(DelayMs);
        writer.WriteBool(Dead);
    }

    public static bool TryRead(scoped ref MessagePackReader reader, out NackItem item)
    {
        item = default;
        return LeaseReference.TryReadStart(ref reader, FieldCount, out int extra, out item.Lease)
            && reader.TryReadStringOrNil(out item.Error, out _)
            && item.Error.Length <= JobLimits.MaxErrorBytes
            && reader.TryReadInt64OrNil(out item.DelayMs)
            && Bounds.IsDurationOrNull(item.DelayMs)
            && reader.TryReadBool(out item.Dead)
            && reader.TrySkipMany(extra);
    }
}
