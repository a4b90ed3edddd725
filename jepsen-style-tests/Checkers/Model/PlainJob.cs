using System.Text;
using RaftQueue.Jobs;
using RaftQueue.MessagePack;

namespace RaftQueue.Checkers.Model;

/// <summary>A job as a caller gives it, in plain types.</summary>
public sealed record PlainJob
{
    public string? Payload { get; init; } = "1";
    public bool Bytes { get; init; }
    public string? ContentType { get; init; }
    public string? Type { get; init; }
    public int? Priority { get; init; }
    public long? DelayMs { get; init; }
    public long? RunAtMs { get; init; }
    public string? Key { get; init; }
    public UniqueUntil Until { get; init; } = UniqueUntil.Finished;
    public long WindowMs { get; init; }
    public ConflictChoice OnConflict { get; init; }
    public int? MaxAttempts { get; init; }
    public RetryPolicy? Retry { get; init; }
    public long? ExpireAfterMs { get; init; }
    public long? KeepMs { get; init; }
    public long? KeepDeadMs { get; init; }
    public string[]? Tags { get; init; }
    public string[]? Headers { get; init; }

    public PayloadKind PayloadKind => Payload is null ? PayloadKind.None : Bytes ? PayloadKind.Bytes : PayloadKind.Json;

    public void Write(in MessagePackWriter writer)
    {
        var spec = new JobSpec
        {
            PayloadKind = PayloadKind,
            Payload = Utf8(Payload),
            ContentType = Utf8(ContentType),
            Type = Utf8(Type),
            Priority = Priority,
            DelayMs = DelayMs,
            RunAtMs = RunAtMs,
            UniqueKey = Utf8(Key),
            UniqueUntil = Until,
            UniqueWindowMs = WindowMs,
            OnConflict = OnConflict,
            MaxAttempts = MaxAttempts,
            Retry = Retry,
            ExpireAfterMs = ExpireAfterMs,
            KeepMs = KeepMs,
            KeepDeadMs = KeepDeadMs,
            Tags = Tags is null ? default : Strings(Tags, map: false),
            Headers = Headers is null ? default : Strings(Headers, map: true),
        };
        spec.Write(writer);
    }

    private static byte[] Utf8(string? text) => text is null ? [] : Encoding.UTF8.GetBytes(text);

    private static byte[] Strings(string[] strings, bool map)
    {
        using var buffer = new PooledBuffer();
        var writer = new MessagePackWriter(buffer);
        if (map) writer.WriteMapHeader(strings.Length / 2);
        else writer.WriteArrayHeader(strings.Length);
        foreach (string text in strings) writer.WriteString(text);
        return buffer.WrittenSpan.ToArray();
    }
}
