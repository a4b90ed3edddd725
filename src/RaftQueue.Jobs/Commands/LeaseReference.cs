using RaftQueue.MessagePack;

namespace RaftQueue.Jobs.Commands;

/// <summary>A lease as commands name it: the job's slot and sequence and the fence. The shard is the log's own.</summary>
public readonly record struct LeaseReference(long Slot, ulong Sequence, ulong Fence)
{
    /// <summary>How many values it takes at the front of an item's array.</summary>
    internal const int FieldCount = 3;

    public static LeaseReference Of(in LeaseToken token) => new(token.Job.Slot, token.Job.Sequence, token.Fence);

    internal void Write(in MessagePackWriter writer)
    {
        writer.WriteInt64(Slot);
        writer.WriteUInt64(Sequence);
        writer.WriteUInt64(Fence);
    }

    /// <summary>Reads the header of an item's array, which has <paramref name="fields"/> values, and its first three.</summary>
    internal static bool TryReadStart(scoped ref MessagePackReader reader, int fields, out int extra, out LeaseReference reference)
    {
        reference = default;
        extra = 0;
        if (!reader.TryReadArrayHeader(out int count) || count < fields) return false;
        extra = count - fields;
        if (!reader.TryReadInt64(out long slot) || !reader.TryReadUInt64(out ulong sequence)) return false;
        if (!reader.TryReadUInt64(out ulong fence)) return false;
        reference = new LeaseReference(slot, sequence, fence);
        return true;
    }
}
