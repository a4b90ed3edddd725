using System.Text.Json;
using System.Text.Json.Serialization;

namespace RaftQueue.Client;

/// <summary>Durations travel as 64-bit integer milliseconds. A fraction of a millisecond is rounded up: never earlier than asked.</summary>
internal sealed class MillisecondsConverter : JsonConverter<TimeSpan>
{
    public override TimeSpan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        long milliseconds = reader.GetInt64();
        long limit = TimeSpan.MaxValue.Ticks / TimeSpan.TicksPerMillisecond;
        return TimeSpan.FromTicks(Math.Clamp(milliseconds, -limit, limit) * TimeSpan.TicksPerMillisecond);
    }

    public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options) =>
        writer.WriteNumberValue(ToMilliseconds(value));

    public static long ToMilliseconds(TimeSpan value)
    {
        long whole = value.Ticks / TimeSpan.TicksPerMillisecond;
        return value.Ticks % TimeSpan.TicksPerMillisecond > 0 ? whole + 1 : whole;
    }
}
