using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace RaftQueue.Client;

/// <summary>
/// A JSON value as text, kept as it was written: big integers, <c>1.0</c>, the order of keys and duplicate keys survive a way
/// through the queue. The default value is <c>null</c>.
/// </summary>
[JsonConverter(typeof(JsonTextConverter))]
public readonly struct JsonText : IEquatable<JsonText>
{
    private readonly string? _text;

    /// <summary>Takes over text that is known to be one JSON value.</summary>
    internal JsonText(string text) => _text = text;

    /// <summary>The text of the value.</summary>
    public string Text => _text ?? "null";

    /// <summary>Whether the value is <c>null</c>.</summary>
    public bool IsNull => Text == "null";

    /// <summary>A JSON string that holds this text. Lone surrogates are not text and are refused.</summary>
    /// <exception cref="ArgumentException">The text holds a lone surrogate.</exception>
    public static JsonText FromString(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (!IsWellFormed(text)) throw new ArgumentException("The text holds a lone surrogate.", nameof(text));
        return new JsonText(JsonSerializer.Serialize(text, ClientJson.Relaxed.String));
    }

    /// <summary>A value by way of source-generated serialization.</summary>
    public static JsonText From<T>(T value, JsonTypeInfo<T> type) => new(JsonSerializer.Serialize(value, type));

    /// <summary>Checks that the text is exactly one JSON value.</summary>
    /// <exception cref="FormatException">It is not; the message says where.</exception>
    public static JsonText Parse(string text) =>
        TryParse(text, out JsonText value, out string? error) ? value : throw new FormatException(error);

    /// <summary>As <see cref="Parse"/>, without an exception. Space around the value is dropped.</summary>
    public static bool TryParse(string text, out JsonText value, [NotNullWhen(false)] out string? error)
    {
        ArgumentNullException.ThrowIfNull(text);
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            value = new JsonText(document.RootElement.GetRawText());
            error = null;
            return true;
        }
        catch (JsonException exception)
        {
            value = default;
            error = exception.Message;
            return false;
        }
        catch (ArgumentException exception)
        {
            value = default;
            error = $"Not text that UTF-8 can hold: {exception.Message}";
            return false;
        }
    }

    /// <summary>Whether the value is a JSON string, and which.</summary>
    public bool TryGetString([NotNullWhen(true)] out string? value)
    {
        value = null;
        if (!Text.StartsWith('"')) return false;
        value = JsonSerializer.Deserialize(Text, ClientJson.Relaxed.String);
        return value is not null;
    }

    /// <summary>The value by way of source-generated serialization.</summary>
    public T? To<T>(JsonTypeInfo<T> type) => JsonSerializer.Deserialize(Text, type);

    private static bool IsWellFormed(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (i + 1 >= text.Length || !char.IsSurrogatePair(text[i], text[i + 1])) return false;
            i++;
        }

        return true;
    }

    public bool Equals(JsonText other) => string.Equals(Text, other.Text, StringComparison.Ordinal);

    public override bool Equals(object? obj) => obj is JsonText other && Equals(other);

    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Text);

    public override string ToString() => Text;

    public static bool operator ==(JsonText left, JsonText right) => left.Equals(right);

    public static bool operator !=(JsonText left, JsonText right) => !left.Equals(right);
}
