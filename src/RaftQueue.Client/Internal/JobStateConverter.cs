using System.Text.Json;
using System.Text.Json.Serialization;

namespace RaftQueue.Client;

/// <summary>The server's words for a job's state, tolerant of words that a later server adds.</summary>
internal sealed class JobStateConverter : JsonConverter<JobState>
{
    public override JobState Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetString() switch
    {
        "scheduled" => JobState.Scheduled,
        "ready" => JobState.Ready,
        "blocked" => JobState.Blocked,
        "leased" => JobState.Leased,
        "succeeded" => JobState.Succeeded,
        "dead" => JobState.Dead,
        "cancelled" => JobState.Cancelled,
        _ => JobState.Unknown,
    };

    public override void Write(Utf8JsonWriter writer, JobState value, JsonSerializerOptions options) => writer.WriteStringValue(value switch
    {
        JobState.Scheduled => "scheduled",
        JobState.Ready => "ready",
        JobState.Blocked => "blocked",
        JobState.Leased => "leased",
        JobState.Succeeded => "succeeded",
        JobState.Dead => "dead",
        JobState.Cancelled => "cancelled",
        _ => "unknown",
    });
}
