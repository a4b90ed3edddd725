using RaftQueue.MessagePack;

namespace RaftQueue.Jobs;

/// <summary>
/// What a queue gives to jobs that do not say it themselves, and the length of leases: a map with <c>type, contentType, priority,
/// delayMs, maxAttempts, retry { backoff, baseMs, maxMs, jitterPpm }, expireAfterMs, keepMs, keepDeadMs, tags, headers, leaseMs</c>.
/// Null or empty: not set.
/// </summary>
public sealed class JobDefaults
{
    public static JobDefaults None { get; } = new();

    public byte[] Type { get; private set; } = [];

    public byte[] ContentType { get; private set; } = [];

    public int? Priority { get; private set; }

    public long? DelayMs { get; private set; }

    public int? MaxAttempts { get; private set; }

    public RetryPolicy? Retry { get; private set; }

    public long? ExpireAfterMs { get; private set; }

    public long? KeepMs { get; private set; }

    public long? KeepDeadMs { get; private set; }

    /// <summary>Encoded array of strings.</summary>
    public byte[] Tags { get; private set; } = [];

    /// <summary>Encoded map of strings.</summary>
    public byte[] Headers { get; private set; } = [];

    public long? LeaseMs { get; private set; }

    public static bool TryRead(ref MessagePackReader reader, out JobDefaults defaults)
    {
        defaults = new JobDefaults();
        if (!reader.TryReadMapHeader(out int count)) return false;
        for (int i = 0; i < count; i++)
        {
            if (!reader.TryReadText(out string? name)) return false;
            if (reader.TryReadNil()) continue;
            if (!defaults.TryReadField(name!, ref reader)) return false;
        }

        return true;
    }

    private bool TryReadField(string name, ref MessagePackReader reader) => name switch
    {
        "type" or "contentType" or "tags" or "headers" => TryReadBytes(name, ref reader),
        "retry" => TryReadRetry(ref reader),
        _ => reader.TryReadInt64(out long value) && Bounds.IsDuration(value) && TrySet(name, value),
    };

    private bool TrySet(string name, long value)
    {
        switch (name)
        {
            case "priority" when value <= JobLimits.MaxPriority:
                Priority = (int)value;
                return true;
            case "maxAttempts" when value is >= 1 and <= int.MaxValue:
                MaxAttempts = (int)value;
                return true;
            case "delayMs":
                DelayMs = value;
                return true;
            case "expireAfterMs":
                ExpireAfterMs = value;
                return true;
            case "keepMs":
                KeepMs = value;
                return true;
            case "keepDeadMs":
                KeepDeadMs = value;
                return true;
            case "leaseMs" when value >= 1:
                LeaseMs = value;
                return true;
            default:
                return false;
        }
    }

    private bool TryReadBytes(string name, ref MessagePackReader reader)
    {
        ReadOnlySpan<byte> value;
        switch (name)
        {
            case "type":
                if (!reader.TryReadString(out value) || value.Length > JobLimits.MaxTypeBytes) return false;
                Type = value.ToArray();
                return true;
            case "contentType":
                if (!reader.TryReadString(out value) || value.Length > JobLimits.MaxContentTypeBytes) return false;
                ContentType = value.ToArray();
                return true;
            case "tags":
                if (!reader.TryReadStringsOrNil(out value) || value.Length > JobLimits.MaxTagsBytes) return false;
                Tags = value.ToArray();
                return true;
            default:
                if (!reader.TryReadStringMapOrNil(out value) || value.Length > JobLimits.MaxHeadersBytes) return false;
                Headers = value.ToArray();
                return true;
        }
    }

    private bool TryReadRetry(ref MessagePackReader reader)
    {
        RetryPolicy retry = RetryPolicy.Default;
        if (!reader.TryReadMapHeader(out int count)) return false;
        for (int i = 0; i < count; i++)
        {
            if (!reader.TryReadText(out string? name)) return false;
            if (reader.TryReadNil()) continue;
            if (name == "backoff")
            {
                if (!reader.TryReadText(out string? kind) || !TryBackoff(kind!, out BackoffKind backoff)) return false;
                retry = retry with { Backoff = backoff };
                continue;
            }

            if (!reader.TryReadInt64(out long value) || !Bounds.IsDuration(value)) return false;
            switch (name)
            {
                case "baseMs": retry = retry with { BaseMs = value }; break;
                case "maxMs": retry = retry with { MaxMs = value }; break;
                case "jitterPpm" when value <= RetryPolicy.MaxJitterPpm: retry = retry with { JitterPpm = (int)value }; break;
                default: return false;
            }
        }

        Retry = retry;
        return true;
    }

    private static bool TryBackoff(string text, out BackoffKind kind)
    {
        kind = text switch
        {
            "exponential" => BackoffKind.Exponential,
            "linear" => BackoffKind.Linear,
            _ => BackoffKind.Fixed,
        };
        return text is "exponential" or "linear" or "fixed";
    }
}
