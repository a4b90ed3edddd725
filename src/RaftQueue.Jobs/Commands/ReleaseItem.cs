using RaftQueue.MessagePack;

namespace RaftQueue.Jobs.Commands;

/// <summary>One token of a release: <c>[ slot, sequence, fence, delayMs|nil ]</c>.</summary>
public ref struct ReleaseItem : ITokenItem<ReleaseItem>
{
    private const int FieldCount = LeaseReference.FieldCount + 1;

    public LeaseReference Lease;

    /// <summary>Null or 0: to the front of the queue.</summary>
    public long? DelayMs;

    public readonly void Write(in MessagePackWriter writer)
    {
        writer.WriteArrayHeader(FieldCount);
        Lease.Write(writer);
        writer.WriteInt64OrNil(DelayMs);
    }

    public static bool TryRead(scoped ref MessagePackReader reader, out ReleaseItem item)
    {
        item = default;
        return LeaseReference.TryReadStart(ref reader, FieldCount, out int extra, out item.Lease)
            && reader.TryReadInt64OrNil(out item.DelayMs)
            && Bounds.IsDurationOrNull(item.DelayMs)
            && reader.TrySkipMany(extra);
    }
}
