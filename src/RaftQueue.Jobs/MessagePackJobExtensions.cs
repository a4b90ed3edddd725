using RaftQueue.MessagePack;

namespace RaftQueue.Jobs;

/// <summary>Values that may be absent, the way commands and views hold them: an empty span or null is nil.</summary>
internal static class MessagePackJobExtensions
{
    public static void WriteStringOrNil(this in MessagePackWriter writer, ReadOnlySpan<byte> utf8)
    {
        if (utf8.IsEmpty) writer.WriteNil();
        else writer.WriteString(utf8);
    }

    public static void WriteInt64OrNil(this in MessagePackWriter writer, long? value)
    {
        if (value is { } given) writer.WriteInt64(given);
        else writer.WriteNil();
    }

    public static void WriteRawOrNil(this in MessagePackWriter writer, ReadOnlySpan<byte> encoded)
    {
        if (encoded.IsEmpty) writer.WriteNil();
        else writer.WriteRaw(encoded);
    }

    public static bool TryReadInt32OrNil(this scoped ref MessagePackReader reader, out int? value)
    {
        value = null;
        if (reader.TryReadNil()) return true;
        if (!reader.TryReadInt32(out int read)) return false;
        value = read;
        return true;
    }

    public static bool TrySkipMany(this scoped ref MessagePackReader reader, int count)
    {
        for (int i = 0; i < count; i++)
        {
            if (!reader.TrySkip()) return false;
        }

        return true;
    }

    /// <summary>Empty for nil, else the encoded array, all of whose elements are strings.</summary>
    public static bool TryReadStringsOrNil(this scoped ref MessagePackReader reader, out ReadOnlySpan<byte> encoded) =>
        TryReadStrings(ref reader, map: false, out encoded);

    /// <summary>Empty for nil, else the encoded map, all of whose keys and values are strings.</summary>
    public static bool TryReadStringMapOrNil(this scoped ref MessagePackReader reader, out ReadOnlySpan<byte> encoded) =>
        TryReadStrings(ref reader, map: true, out encoded);

    private static bool TryReadStrings(scoped ref MessagePackReader reader, bool map, out ReadOnlySpan<byte> encoded)
    {
        encoded = default;
        if (reader.TryReadNil()) return true;
        if (!reader.TryReadRaw(out ReadOnlySpan<byte> raw)) return false;
        var inner = new MessagePackReader(raw);
        if (!(map ? inner.TryReadMapHeader(out int count) : inner.TryReadArrayHeader(out count))) return false;
        if (count > JobLimits.MaxTags) return false;
        for (int i = map ? 2 * count : count; i > 0; i--)
        {
            if (!inner.TryReadString(out _)) return false;
        }

        encoded = raw;
        return true;
    }
}
