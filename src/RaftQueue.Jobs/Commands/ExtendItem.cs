using RaftQueue.MessagePack;

namespace RaftQueue.Jobs.Commands;

/// <summary>One token of an extend: <c>[ slot, sequence, fence, leaseMs, progress|nil ]</c>; progress is JSON text.</summary>
public ref struct ExtendItem : ITokenItem<ExtendItem>
{
    private const int FieldCount = LeaseReference.FieldCount + 2;

    public LeaseReference Lease;
    public long LeaseMs;

    /// <summary>JSON text; empty when none was given.</summary>
    public ReadOnlySpan<byte> Progress;

    public readonly void Write(in MessagePackWriter writer)
    {
        writer.WriteArrayHeader(FieldCount);
        Lease.Write(writer);
        writer.WriteInt64(LeaseMs);
        if (Progress.IsEmpty) writer.WriteNil();
        else writer.WriteBinary(Progress);
    }

    public static bool TryRead(scoped ref MessagePackReader reader, out ExtendItem item)
    {
        item = default;
        return LeaseReference.TryReadStart(ref reader, FieldCount, out int extra, out item.Lease)
            && reader.TryReadInt64(out item.LeaseMs)
            && item.LeaseMs > 0
            && Bounds.IsDuration(item.LeaseMs)
            && reader.TryReadBinaryOrNil(out item.Progress, out _)
            && item.Progress.Length <= JobLimits.MaxProgressBytes
            && reader.TrySkipMany(extra);
    }
}
