using System.Text.Json;
using System.Text.Json.Serialization;

namespace RaftQueue.Client;

internal sealed class LeaseStatusConverter : JsonConverter<LeaseStatus>
{
    public override LeaseStatus Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetString() switch
    {
        "ok" => LeaseStatus.Ok,
        "lease_lost" => LeaseStatus.LeaseLost,
        "not_applied" => LeaseStatus.NotApplied,
        "invalid" => LeaseStatus.Invalid,
        _ => LeaseStatus.Unknown,
    };

    public override void Write(Utf8JsonWriter writer, LeaseStatus value, JsonSerializerOptions options) => writer.WriteStringValue(value switch
    {
        LeaseStatus.Ok => "ok",
        LeaseStatus.LeaseLost => "lease_lost",
        LeaseStatus.NotApplied => "not_applied",
        LeaseStatus.Invalid => "invalid",
        _ => "unknown",
    });
}
