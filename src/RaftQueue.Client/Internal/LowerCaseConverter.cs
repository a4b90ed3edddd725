using System.Text.Json;
using System.Text.Json.Serialization;

namespace RaftQueue.Client;

/// <summary>An enumeration whose names travel in lower case.</summary>
internal sealed class LowerCaseConverter<T> : JsonConverter<T>
    where T : struct, Enum
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Enum.TryParse(reader.GetString(), ignoreCase: true, out T value) ? value : default;

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
        writer.WriteStringValue(Enum.GetName(value)?.ToLowerInvariant() ?? throw new JsonException($"{value} is not a {typeof(T).Name}."));
}
