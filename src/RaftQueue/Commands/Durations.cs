using System.CommandLine.Parsing;
using System.Globalization;

namespace RaftQueue.Commands;

/// <summary>Durations as people write them: 250ms, 30s, 5m, 2h, 1d, and sums such as 1h30m.</summary>
internal static class Durations
{
    private static readonly (string Unit, long Milliseconds)[] Units =
        [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

    /// <summary>A parser for options that hold a duration.</summary>
    public static TimeSpan? Option(ArgumentResult result)
    {
        string text = result.Tokens.Single().Value;
        if (TryParse(text, out TimeSpan value)) return value;
        result.AddError($"\"{text}\" is no duration; it may be 250ms, 30s, 5m, 2h, 1d or a sum such as 1h30m.");
        return null;
    }

    public static bool TryParse(ReadOnlySpan<char> text, out TimeSpan value)
    {
        value = default;
        if (text.IsEmpty) return false;
        long total = 0;
        while (!text.IsEmpty)
        {
            int digits = 0;
            while (digits < text.Length && char.IsAsciiDigit(text[digits])) digits++;
            int letters = digits;
            while (letters < text.Length && char.IsAsciiLetter(text[letters])) letters++;
            if (!long.TryParse(text[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out long number)) return false;
            if (Unit(text[digits..letters]) is not { } unit) return false;
            const long Most = long.MaxValue / TimeSpan.TicksPerMillisecond;
            if (number > Most / unit || total > Most - number * unit) return false;
            total += number * unit;
            text = text[letters..];
        }

        value = TimeSpan.FromMilliseconds(total);
        return true;
    }

    private static long? Unit(ReadOnlySpan<char> name)
    {
        foreach ((string unit, long milliseconds) in Units)
        {
            if (name.SequenceEqual(unit)) return milliseconds;
        }

        return null;
    }
}
