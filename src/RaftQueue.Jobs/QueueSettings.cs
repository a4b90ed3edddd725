using RaftQueue.MessagePack;

namespace RaftQueue.Jobs;

/// <summary>
/// A queue's settings, parsed from their encoded map: <c>defaults</c> (a map, see <see cref="JobDefaults"/>), <c>uniqueBy</c> (array of
/// JSON pointers), <c>keepFinished</c>. What is null was not set: the built-in default counts.
/// </summary>
public sealed class QueueSettings
{
    /// <summary>Longest JSON pointer in bytes.</summary>
    public const int MaxPointerBytes = 1024;

    /// <summary>Nothing set.</summary>
    public static QueueSettings None { get; } = new();

    public JobDefaults Defaults { get; private set; } = JobDefaults.None;

    /// <summary>JSON pointers (RFC 6901) whose values make the key of a job that brings none; empty for no such key.</summary>
    public IReadOnlyList<byte[]> UniqueBy { get; private set; } = [];

    /// <summary>Succeeded and cancelled jobs to keep at most.</summary>
    public long? KeepFinished { get; private set; }

    /// <summary>False for a field that is unknown, of the wrong type or out of its bounds.</summary>
    public static bool TryParse(ReadOnlySpan<byte> map, out QueueSettings settings)
    {
        settings = new QueueSettings();
        var reader = new MessagePackReader(map);
        if (!reader.TryReadMapHeader(out int count)) return false;
        for (int i = 0; i < count; i++)
        {
            if (!reader.TryReadString(out ReadOnlySpan<byte> name) || !settings.TryReadField(name, ref reader)) return false;
        }

        return true;
    }

    private bool TryReadField(ReadOnlySpan<byte> name, ref MessagePackReader reader)
    {
        if (reader.TryReadNil()) return true;
        if (name.SequenceEqual("defaults"u8))
        {
            bool read = JobDefaults.TryRead(ref reader, out JobDefaults defaults);
            Defaults = defaults;
            return read;
        }

        if (name.SequenceEqual("uniqueBy"u8)) return TryReadPointers(ref reader);
        if (!name.SequenceEqual("keepFinished"u8)) return false;
        if (!reader.TryReadInt64(out long keep) || keep < 0) return false;
        KeepFinished = keep;
        return true;
    }

    private bool TryReadPointers(ref MessagePackReader reader)
    {
        if (!reader.TryReadArrayHeader(out int count) || count > JobLimits.MaxUniquePointers) return false;
        var pointers = new List<byte[]>(count);
        for (int i = 0; i < count; i++)
        {
            if (!reader.TryReadString(out ReadOnlySpan<byte> pointer)) return false;
            if (pointer.Length > MaxPointerBytes || (!pointer.IsEmpty && pointer[0] != '/')) return false;
            pointers.Add(pointer.ToArray());
        }

        UniqueBy = pointers;
        return true;
    }
}
