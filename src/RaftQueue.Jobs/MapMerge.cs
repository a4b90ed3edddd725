using RaftQueue.MessagePack;

namespace RaftQueue.Jobs;

/// <summary>
/// JSON merge patch (RFC 7396) on encoded maps: nil takes a field away, a map merges into a map, anything else replaces.
/// Fields keep the target's order, new ones follow in the patch's.
/// </summary>
internal static class MapMerge
{
    private const int MaxDepth = 8;
    private const int MaxFields = 4096;

    /// <summary>
    /// Writes <paramref name="target"/> (an encoded map, or empty for none) changed by <paramref name="patch"/> (an encoded map).
    /// False when one of them is not such a map, has a field twice or is nested deeper than eight maps; then what was written is of no use.
    /// </summary>
    public static bool TryMerge(ReadOnlySpan<byte> target, ReadOnlySpan<byte> patch, in MessagePackWriter writer) =>
        TryMerge(target, patch, writer, depth: 0);

    private static bool TryMerge(ReadOnlySpan<byte> target, ReadOnlySpan<byte> patch, in MessagePackWriter writer, int depth)
    {
        if (depth == MaxDepth || !TryCount(target, patch, out int count)) return false;
        writer.WriteMapHeader(count);
        var reader = new MessagePackReader(target);
        int fields = 0;
        if (!target.IsEmpty && !reader.TryReadMapHeader(out fields)) return false;
        for (int i = 0; i < fields; i++)
        {
            if (!TryReadField(ref reader, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)) return false;
            if (!TryFind(patch, name, out ReadOnlySpan<byte> change)) WriteField(writer, name, value);
            else if (!IsNil(change) && !TryWriteChanged(writer, name, value, change, depth)) return false;
        }

        reader = new MessagePackReader(patch);
        if (!reader.TryReadMapHeader(out fields)) return false;
        for (int i = 0; i < fields; i++)
        {
            if (!TryReadField(ref reader, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> change)) return false;
            if (IsNil(change) || TryFind(target, name, out _)) continue;
            if (!TryWriteChanged(writer, name, default, change, depth)) return false;
        }

        return true;
    }

    private static bool TryWriteChanged(
        in MessagePackWriter writer,
        ReadOnlySpan<byte> name,
        ReadOnlySpan<byte> value,
        ReadOnlySpan<byte> change,
        int depth)
    {
        if (!IsMap(change))
        {
            WriteField(writer, name, change);
            return true;
        }

        writer.WriteString(name);
        return TryMerge(IsMap(value) ? value : default, change, writer, depth + 1);
    }

    /// <summary>How many fields the merged map has.</summary>
    private static bool TryCount(ReadOnlySpan<byte> target, ReadOnlySpan<byte> patch, out int count)
    {
        count = 0;
        var reader = new MessagePackReader(target);
        int fields = 0;
        if (!target.IsEmpty && !reader.TryReadMapHeader(out fields)) return false;
        count = fields;
        if (fields > MaxFields) return false;
        reader = new MessagePackReader(patch);
        if (!reader.TryReadMapHeader(out fields) || fields > MaxFields) return false;
        for (int i = 0; i < fields; i++)
        {
            if (!TryReadField(ref reader, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> change)) return false;
            if (!TryFind(patch, name, out ReadOnlySpan<byte> first) || first != change) return false;
            bool held = TryFind(target, name, out _);
            if (IsNil(change)) count -= held ? 1 : 0;
            else count += held ? 0 : 1;
        }

        return true;
    }

    private static bool TryFind(ReadOnlySpan<byte> map, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        value = default;
        var reader = new MessagePackReader(map);
        if (map.IsEmpty || !reader.TryReadMapHeader(out int fields)) return false;
        for (int i = 0; i < fields; i++)
        {
            if (!TryReadField(ref reader, out ReadOnlySpan<byte> candidate, out ReadOnlySpan<byte> found)) return false;
            if (!candidate.SequenceEqual(name)) continue;
            value = found;
            return true;
        }

        return false;
    }

    private static bool TryReadField(scoped ref MessagePackReader reader, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        value = default;
        return reader.TryReadString(out name) && reader.TryReadRaw(out value);
    }

    private static void WriteField(in MessagePackWriter writer, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        writer.WriteString(name);
        writer.WriteRaw(value);
    }

    private static bool IsNil(ReadOnlySpan<byte> value) => new MessagePackReader(value).NextType == MessagePackType.Nil;

    private static bool IsMap(ReadOnlySpan<byte> value) => new MessagePackReader(value).NextType == MessagePackType.Map;
}
