using RaftQueue.MessagePack;

namespace RaftQueue.Jobs.Views;

/// <summary>
/// Why one job refused its batch: <c>[ jobIndex, code, holderSequence|nil, holderSlot|nil ]</c>. No holder when it is an earlier
/// job of the same batch, which has no id.
/// </summary>
public readonly record struct RefusalRow(int JobIndex, ResultCode Code, ulong? HolderSequence, long? HolderSlot)
{
    internal const int FieldCount = 4;

    public static bool TryRead(scoped ref MessagePackReader reader, out RefusalRow row)
    {
        row = default;
        if (!reader.TryReadArrayHeader(out int count) || count < FieldCount) return false;
        if (!reader.TryReadInt32(out int index) || !reader.TryReadInt32(out int code)) return false;
        if (!reader.TryReadUInt64OrNil(out ulong? sequence) || !reader.TryReadInt64OrNil(out long? slot)) return false;
        row = new RefusalRow(index, (ResultCode)code, sequence, slot);
        return reader.TrySkipMany(count - FieldCount);
    }
}
