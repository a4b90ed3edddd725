using System.Globalization;
using System.Text.Unicode;

namespace RaftQueue.Server.Contracts;

/// <summary>What every text in a request keeps to, wherever it stands: valid UTF-8 and, in JSON, no lone surrogates.</summary>
public static class TextRules
{
    /// <summary>
    /// What is wrong with JSON text, or null. Looks only at bytes and escapes; whether it is JSON is the reader's to say.
    /// <paramref name="at"/> is the byte where the trouble starts.
    /// </summary>
    public static string? Check(ReadOnlySpan<byte> json, out int at)
    {
        if (!Utf8.IsValid(json))
        {
            at = FirstInvalid(json);
            return "is not valid UTF-8";
        }

        at = FirstLoneSurrogate(json);
        return at < 0 ? null : "has a lone surrogate (an escape \\ud800 … \\udfff that is not half of a pair)";
    }

    /// <summary>The first byte of the first escape that is half a surrogate pair without its other half; -1 for none.</summary>
    public static int FirstLoneSurrogate(ReadOnlySpan<byte> json)
    {
        int position = 0;
        while (true)
        {
            int step = json[position..].IndexOf((byte)'\\');
            if (step < 0) return -1;
            position += step;
            int unit = CodeUnitAt(json, position);
            if (unit is < 0xd800 or > 0xdfff)
            {
                position = Math.Min(position + 2, json.Length);
                continue;
            }

            bool paired = unit < 0xdc00 && CodeUnitAt(json, position + 6) is >= 0xdc00 and <= 0xdfff;
            if (!paired) return position;
            position += 12;
        }
    }

    /// <summary>UTF-8 text cut to at most <paramref name="maxBytes"/>, never in the middle of a character.</summary>
    public static ReadOnlySpan<byte> Cut(ReadOnlySpan<byte> utf8, int maxBytes)
    {
        if (utf8.Length <= maxBytes) return utf8;
        int length = maxBytes;
        while (length > 0 && (utf8[length] & 0xc0) == 0x80) length--;
        return utf8[..length];
    }

    /// <summary>Characters (code points) of valid UTF-8 text.</summary>
    public static int CountCharacters(ReadOnlySpan<byte> utf8)
    {
        int count = 0;
        foreach (byte unit in utf8)
        {
            if ((unit & 0xc0) != 0x80) count++;
        }

        return count;
    }

    /// <summary>The value of an escape <c>\uXXXX</c> at <paramref name="position"/>, or -1 when none stands there.</summary>
    private static int CodeUnitAt(ReadOnlySpan<byte> json, int position)
    {
        if (position + 6 > json.Length || json[position] != '\\' || json[position + 1] != 'u') return -1;
        return int.TryParse(json.Slice(position + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int unit)
            ? unit
            : -1;
    }

    private static int FirstInvalid(ReadOnlySpan<byte> bytes)
    {
        int position = 0;
        while (position < bytes.Length)
        {
            if (System.Text.Rune.DecodeFromUtf8(bytes[position..], out _, out int size) != System.Buffers.OperationStatus.Done) break;
            position += size;
        }

        return position;
    }
}
