using RaftQueue.MessagePack;

namespace RaftQueue.Jobs.Views;

/// <summary>
/// One job of an accepted batch: <c>[ sequence, slot, state, created, duplicate, replaced|nil ]</c>. A duplicate's id and state
/// are the holder's; <see cref="Replaced"/> is null unless the newcomer asked to replace.
/// </summary>
public readonly record struct EnqueueRow(ulong Sequence, long Slot, JobState State, bool Created, bool Duplicate, bool? Replaced)
{
    internal const int FieldCount = 6;

    public static bool TryRead(scoped ref MessagePackReader reader, out EnqueueRow row)
    {
        row = default;
        if (!reader.TryReadArrayHeader(out int count) || count < FieldCount) return false;
        if (!reader.TryReadUInt64(out ulong sequence) || !reader.TryReadInt64(out long slot)) return false;
        if (!reader.TryReadInt32(out int state) || !reader.TryReadBool(out bool created)) return false;
        if (!reader.TryReadBool(out bool duplicate) || !reader.TryReadBoolOrNil(out bool? replaced)) return false;
        row = new EnqueueRow(sequence, slot, (JobState)state, created, duplicate, replaced);
        return reader.TrySkipMany(count - FieldCount);
    }
}
