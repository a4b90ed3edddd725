using System.Text.Json;
using System.Text.Json.Serialization;

namespace RaftQueue.Client;

/// <summary>Carries a JSON value as its own text in both directions: nothing is parsed into numbers or reordered.</summary>
internal sealed class JsonTextConverter : JsonConverter<JsonText>
{
    public override bool HandleNull => true;

    public override JsonText Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using JsonDocument document = JsonDocument.ParseValue(ref reader);
        return new JsonText(document.RootElement.GetRawText());
    }

    public override void Write(Utf8JsonWriter writer, JsonText value, JsonSerializerOptions options) =>
        writer.WriteRawValue(value.Text, skipInputValidation: true);
}
