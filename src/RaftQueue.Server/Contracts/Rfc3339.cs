namespace RaftQueue.Server.Contracts;

/// <summary>Times as RFC 3339: any offset in, UTC with milliseconds out. Unix milliseconds inside.</summary>
public static class Rfc3339
{
    /// <summary>Characters of what <see cref="Format"/> writes.</summary>
    public const int Length = 24;

    private const long LastMs = 253402300799999;

    /// <summary>
    /// Reads <c>2026-01-31T12:00:00[.fraction](Z|±hh:mm)</c>; digits behind the millisecond are cut. Times before 1970
    /// give 0, a leap second counts as the first moment of the next minute.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out long unixMs)
    {
        unixMs = 0;
        if (text.Length < 20 || !HasSeparators(text)) return false;
        if (!TryDigits(text[..4], out int year) || !TryDigits(text[5..7], out int month) || !TryDigits(text[8..10], out int day)
            || !TryDigits(text[11..13], out int hour) || !TryDigits(text[14..16], out int minute)
            || !TryDigits(text[17..19], out int second)) return false;
        if (year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month)) return false;
        if (hour > 23 || minute > 59 || second > 60) return false;
        ReadOnlySpan<byte> rest = text[19..];
        if (!TryFraction(ref rest, out int ms) || !TryOffset(rest, out int offsetMinutes)) return false;
        long days = new DateOnly(year, month, day).DayNumber - new DateOnly(1970, 1, 1).DayNumber;
        long minutes = ((days * 24) + hour) * 60 + minute - offsetMinutes;
        unixMs = Math.Clamp((((minutes * 60) + second) * 1000) + ms, 0, LastMs);
        return true;
    }

    /// <summary>Writes <see cref="Length"/> bytes, <c>2026-01-31T12:00:00.000Z</c>.</summary>
    public static void Format(long unixMs, Span<byte> destination)
    {
        var time = DateTime.UnixEpoch.AddMilliseconds(Math.Clamp(unixMs, 0, LastMs));
        Digits(destination[..4], time.Year);
        destination[4] = (byte)'-';
        Digits(destination[5..7], time.Month);
        destination[7] = (byte)'-';
        Digits(destination[8..10], time.Day);
        destination[10] = (byte)'T';
        Digits(destination[11..13], time.Hour);
        destination[13] = (byte)':';
        Digits(destination[14..16], time.Minute);
        destination[16] = (byte)':';
        Digits(destination[17..19], time.Second);
        destination[19] = (byte)'.';
        Digits(destination[20..23], time.Millisecond);
        destination[23] = (byte)'Z';
    }

    private static bool HasSeparators(ReadOnlySpan<byte> text) =>
        text[4] == '-' && text[7] == '-' && text[10] is (byte)'T' or (byte)'t' && text[13] == ':' && text[16] == ':';

    private static bool TryFraction(ref ReadOnlySpan<byte> rest, out int ms)
    {
        ms = 0;
        if (rest.IsEmpty || rest[0] != '.') return true;
        int digits = 1;
        while (digits < rest.Length && rest[digits] is >= (byte)'0' and <= (byte)'9')
        {
            if (digits <= 3) ms = (ms * 10) + rest[digits] - '0';
            digits++;
        }

        if (digits == 1) return false;
        for (int i = digits; i <= 3; i++) ms *= 10;
        rest = rest[digits..];
        return true;
    }

    private static bool TryOffset(ReadOnlySpan<byte> rest, out int minutes)
    {
        minutes = 0;
        if (rest.Length == 1) return rest[0] is (byte)'Z' or (byte)'z';
        if (rest.Length != 6 || rest[0] is not ((byte)'+' or (byte)'-') || rest[3] != ':') return false;
        if (!TryDigits(rest[1..3], out int hours) || !TryDigits(rest[4..6], out int rest60)) return false;
        if (hours > 23 || rest60 > 59) return false;
        minutes = (hours * 60) + rest60;
        if (rest[0] == '-') minutes = -minutes;
        return true;
    }

    private static bool TryDigits(ReadOnlySpan<byte> text, out int value)
    {
        value = 0;
        foreach (byte digit in text)
        {
            if (digit is < (byte)'0' or > (byte)'9') return false;
            value = (value * 10) + digit - '0';
        }

        return true;
    }

    private static void Digits(Span<byte> destination, int value)
    {
        for (int i = destination.Length - 1; i >= 0; i--, value /= 10) destination[i] = (byte)('0' + (value % 10));
    }
}
