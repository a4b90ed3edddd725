using RaftQueue.Jobs;
using RaftQueue.MessagePack;

namespace RaftQueue.Server.Tests.Support;

/// <summary>A job as it stands in a command, off its buffer.</summary>
internal sealed class ParsedJob
{
    public ParsedJob(JobSpec job)
    {
        Kind = job.PayloadKind;
        Payload = job.Payload.ToArray();
        ContentType = Encoding.UTF8.GetString(job.ContentType);
        Type = Encoding.UTF8.GetString(job.Type);
        Priority = job.Priority;
        DelayMs = job.DelayMs;
        RunAtMs = job.RunAtMs;
        UniqueKey = Encoding.UTF8.GetString(job.UniqueKey);
        Until = job.UniqueUntil;
        WindowMs = job.UniqueWindowMs;
        OnConflict = job.OnConflict;
        MaxAttempts = job.MaxAttempts;
        Retry = job.Retry;
        ExpireAfterMs = job.ExpireAfterMs;
        KeepMs = job.KeepMs;
        KeepDeadMs = job.KeepDeadMs;
        ReadTags(job.Tags);
        ReadHeaders(job.Headers);
    }

    public PayloadKind Kind { get; }

    public byte[] Payload { get; }

    public string ContentType { get; }

    public string Type { get; }

    public int? Priority { get; }

    public long? DelayMs { get; }

    public long? RunAtMs { get; }

    public string UniqueKey { get; }

    public UniqueUntil Until { get; }

    public long WindowMs { get; }

    public ConflictChoice OnConflict { get; }

    public int? MaxAttempts { get; }

    public RetryPolicy? Retry { get; }

    public long? ExpireAfterMs { get; }

    public long? KeepMs { get; }

    public long? KeepDeadMs { get; }

    public List<string> Tags { get; } = [];

    public Dictionary<string, string> Headers { get; } = [];

    private void ReadTags(ReadOnlySpan<byte> encoded)
    {
        if (encoded.IsEmpty) return;
        var reader = new MessagePackReader(encoded);
        Assert.True(reader.TryReadArrayHeader(out int count));
        for (int i = 0; i < count; i++)
        {
            Assert.True(reader.TryReadText(out string? tag));
            Tags.Add(tag!);
        }
    }

    private void ReadHeaders(ReadOnlySpan<byte> encoded)
    {
        if (encoded.IsEmpty) return;
        var reader = new MessagePackReader(encoded);
        Assert.True(reader.TryReadMapHeader(out int count));
        for (int i = 0; i < count; i++)
        {
            Assert.True(reader.TryReadText(out string? name));
            Assert.True(reader.TryReadText(out string? value));
            Headers.Add(name!, value!);
        }
    }
}
