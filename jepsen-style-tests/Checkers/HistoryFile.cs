using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using RaftQueue.Jobs;
using RaftQueue.Primitives;

namespace RaftQueue.Checkers;

/// <summary>Histories as JSON lines, one <see cref="Operation"/> each.</summary>
public static class HistoryFile
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters =
        {
            new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false),
            new TextConverter<JobId>(static text => JobId.TryParse(System.Text.Encoding.UTF8.GetBytes(text), out JobId id) ? id : null),
            new NumberConverter<ShardId>(static shard => shard.Value, static number => new ShardId((ushort)number)),
            new NumberConverter<LogIndex>(static index => index.Value, static number => new LogIndex(number)),
        },
    };

    public static void Write(TextWriter into, IEnumerable<Operation> operations)
    {
        ArgumentNullException.ThrowIfNull(into);
        foreach (Operation operation in operations) into.WriteLine(JsonSerializer.Serialize(operation, Options));
    }

    /// <summary>Throws <see cref="InvalidDataException"/> with the number of the line that cannot be read.</summary>
    public static History Read(TextReader from)
    {
        ArgumentNullException.ThrowIfNull(from);
        var operations = new List<Operation>();
        for (int line = 1; from.ReadLine() is { } text; line++)
        {
            try
            {
                Operation? operation = JsonSerializer.Deserialize<Operation>(text, Options);
                if (operation is null) throw new JsonException("null");
                // A refusal that the log decided has a place in it.
                if (operation.End == OperationEnd.NotApplied && operation.Index > LogIndex.Zero) operation.End = OperationEnd.Applied;
                operations.Add(operation);
            }
            catch (JsonException exception)
            {
                throw new InvalidDataException($"line {line}: {exception.Message}", exception);
            }
        }

        return new History(operations);
    }

    private sealed class TextConverter<T>(Func<string, T?> parse) : JsonConverter<T>
        where T : struct
    {
        public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            parse(reader.GetString() ?? "") ?? throw new JsonException($"no {typeof(T).Name}: {reader.GetString()}");

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
    }

    private sealed class NumberConverter<T>(Func<T, long> toNumber, Func<long, T> fromNumber) : JsonConverter<T>
        where T : struct
    {
        public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => fromNumber(reader.GetInt64());

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteNumberValue(toNumber(value));
    }
}
