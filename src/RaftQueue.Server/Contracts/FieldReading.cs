using RaftQueue.Jobs;

namespace RaftQueue.Server.Contracts;

/// <summary>
/// Takes one member's value, or says what it may be and passes over it. A null counts as not given. Errors stand at the
/// member <c>name</c> of where <see cref="RequestErrors"/> stands.
/// </summary>
public static class FieldReading
{
    public static long? Integer(scoped ref ValueReader reader, RequestErrors errors, string name, long min, long max)
    {
        if (reader.TryTakeNull()) return null;
        if (reader.Kind != ValueKind.Number)
        {
            Refuse(ref reader, errors, name, "Must be an integer.");
            return null;
        }

        if (reader.TryTakeInteger(out long value))
        {
            if (value >= min && value <= max) return value;
            errors.Add(name, $"Must be an integer from {min} to {max}.");
            return null;
        }

        Refuse(ref reader, errors, name, $"Must be an integer from {min} to {max}, without fraction or exponent.");
        return null;
    }

    /// <summary>A duration in milliseconds, 0 or more.</summary>
    public static long? Duration(scoped ref ValueReader reader, RequestErrors errors, string name, long min = 0) =>
        Integer(ref reader, errors, name, min, RequestLimits.MaxDurationMs);

    public static bool? Bool(scoped ref ValueReader reader, RequestErrors errors, string name)
    {
        if (reader.TryTakeNull()) return null;
        if (reader.TryTakeBool(out bool value)) return value;
        Refuse(ref reader, errors, name, "Must be true or false.");
        return null;
    }

    /// <summary>Empty when it is null or refused; otherwise 1 to <paramref name="maxBytes"/> bytes of UTF-8.</summary>
    public static ReadOnlySpan<byte> String(scoped ref ValueReader reader, RequestErrors errors, string name, int maxBytes)
    {
        if (!TryTakeText(ref reader, errors, name, out ReadOnlySpan<byte> text)) return default;
        if (text.Length >= 1 && text.Length <= maxBytes) return text;
        errors.Add(name, text.IsEmpty ? "Must not be empty." : $"Must be at most {maxBytes} bytes of UTF-8, and is {text.Length}.");
        return default;
    }

    /// <summary>A string of any length; false when it is null or refused.</summary>
    public static bool TryTakeText(scoped ref ValueReader reader, RequestErrors errors, string name, out ReadOnlySpan<byte> text)
    {
        text = default;
        if (reader.TryTakeNull()) return false;
        if (reader.TryTakeString(out text)) return true;
        Refuse(ref reader, errors, name, reader.Kind == ValueKind.String ? "Must be valid UTF-8." : "Must be a string.");
        return false;
    }

    /// <summary>A time as RFC 3339 with any offset; Unix milliseconds.</summary>
    public static long? Time(scoped ref ValueReader reader, RequestErrors errors, string name)
    {
        if (!TryTakeText(ref reader, errors, name, out ReadOnlySpan<byte> text)) return null;
        if (Rfc3339.TryParse(text, out long unixMs) && unixMs <= JobLimits.MaxTimeMs) return unixMs;
        errors.Add(name, "Must be a time as in RFC 3339, such as 2026-01-31T12:00:00Z or 2026-01-31T13:00:00.500+01:00.");
        return null;
    }

    /// <summary>One of several words; null when it is null or refused.</summary>
    public static int? Choice(scoped ref ValueReader reader, RequestErrors errors, string name, Fields words)
    {
        if (!TryTakeText(ref reader, errors, name, out ReadOnlySpan<byte> text)) return null;
        int choice = words.Find(text);
        if (choice >= 0) return choice;
        errors.Add(name, $"Must be one of {words}.");
        return null;
    }

    /// <summary>Names the error and passes over the value.</summary>
    public static void Refuse(scoped ref ValueReader reader, RequestErrors errors, string name, string detail)
    {
        errors.Add(name, detail);
        reader.Skip();
    }

    /// <summary>Part of the interface that comes later.</summary>
    public static void NotYet(scoped ref ValueReader reader, RequestErrors errors, string name) =>
        Refuse(ref reader, errors, name, $"\"{name}\" is not available yet in this version.");
}
