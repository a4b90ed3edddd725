using RaftQueue.MessagePack;

namespace RaftQueue.Jobs.Commands;

/// <summary>
/// One grant whose caller is gone: <c>[ slot, sequence, fence ]</c>. Acts as a release to the front, and not at all when the
/// lease is over. The envelope of the command is nil.
/// </summary>
public ref struct RevokeItem : ITokenItem<RevokeItem>
{
    private const int FieldCount = LeaseReference.FieldCount;

    public LeaseReference Lease;

    public readonly void Write(in MessagePackWriter writer)
    {
        writer.WriteArrayHeader(FieldCount);
        Lease.Write(writer);
    }

    public static bool TryRead(scoped ref MessagePackReader reader, out RevokeItem item)
    {
        item = default;
        return LeaseReference.TryReadStart(ref reader, FieldCount, out int extra, out item.Lease)
            && reader.TrySkipMany(extra);
    }
}
