using RaftQueue.MessagePack;

namespace RaftQueue.Jobs;

/// <summary>
/// One job as its caller gave it, a MessagePack array (see <see cref="Write"/> for the order). All spans point into the
/// caller's buffer. What is null or empty was not given: the queue's default counts, then the built-in one.
/// </summary>
public ref struct JobSpec
{
    private const int FieldCount = 19;

    public PayloadKind PayloadKind;
    public ReadOnlySpan<byte> Payload;
    public ReadOnlySpan<byte> ContentType;
    public ReadOnlySpan<byte> Type;
    public int? Priority;
    public long? DelayMs;
    public long? RunAtMs;

    /// <summary>Empty: no unique key was given.</summary>
    public ReadOnlySpan<byte> UniqueKey;
    public UniqueUntil UniqueUntil;
    public long UniqueWindowMs;
    public ConflictChoice OnConflict;
    public int? MaxAttempts;
    public RetryPolicy? Retry;
    public long? ExpireAfterMs;
    public long? KeepMs;
    public long? KeepDeadMs;

    /// <summary>A MessagePack array of strings, encoded; empty when not given.</summary>
    public ReadOnlySpan<byte> Tags;

    /// <summary>A MessagePack map of strings to strings, encoded; empty when not given.</summary>
    public ReadOnlySpan<byte> Headers;

    /// <summary>Writes the array. Fields of features to come are nil.</summary>
    public readonly void Write(in MessagePackWriter writer)
    {
        writer.WriteArrayHeader(FieldCount);
        writer.WriteInt64((byte)PayloadKind);
        if (PayloadKind == PayloadKind.None) writer.WriteNil();
        else writer.WriteBinary(Payload);
        writer.WriteStringOrNil(ContentType);
        writer.WriteStringOrNil(Type);
        writer.WriteInt64OrNil(Priority);
        writer.WriteInt64OrNil(DelayMs);
        writer.WriteInt64OrNil(RunAtMs);
        WriteUnique(writer);
        writer.WriteNil(); // group
        writer.WriteInt64OrNil(MaxAttempts);
        WriteRetry(writer);
        writer.WriteInt64OrNil(ExpireAfterMs);
        writer.WriteNil(); // timeoutMs
        writer.WriteInt64OrNil(KeepMs);
        writer.WriteInt64OrNil(KeepDeadMs);
        writer.WriteRawOrNil(Tags);
        writer.WriteRawOrNil(Headers);
        writer.WriteNil(); // dependsOn
        writer.WriteNil(); // onDependencyFailure
    }

    /// <summary>
    /// Reads one job and passes over fields it does not know. False when it is no such array or a value is out of its bounds;
    /// also when both a delay and a time are given.
    /// </summary>
    public static bool TryRead(scoped ref MessagePackReader reader, out JobSpec spec)
    {
        spec = default;
        if (!reader.TryReadArrayHeader(out int count) || count < FieldCount) return false;
        JobSpec read = default;
        if (!read.TryReadBody(ref reader)) return false;
        for (int i = FieldCount; i < count; i++)
        {
            if (!reader.TrySkip()) return false;
        }

        spec = read;
        return spec.IsInBounds();
    }

    private readonly void WriteUnique(in MessagePackWriter writer)
    {
        if (UniqueKey.IsEmpty)
        {
            writer.WriteNil();
            return;
        }

        writer.WriteArrayHeader(4);
        writer.WriteString(UniqueKey);
        writer.WriteInt64((byte)UniqueUntil);
        writer.WriteInt64(UniqueWindowMs);
        writer.WriteInt64((byte)OnConflict);
    }

    private readonly void WriteRetry(in MessagePackWriter writer)
    {
        if (Retry is not { } retry)
        {
            writer.WriteNil();
            return;
        }

        writer.WriteArrayHeader(4);
        writer.WriteInt64((byte)retry.Backoff);
        writer.WriteInt64(retry.BaseMs);
        writer.WriteInt64(retry.MaxMs);
        writer.WriteInt64(retry.JitterPpm);
    }

    private bool TryReadBody(scoped ref MessagePackReader reader)
    {
        if (!reader.TryReadInt32(out int kind) || kind is < 0 or > (int)PayloadKind.Bytes) return false;
        PayloadKind = (PayloadKind)kind;
        if (!reader.TryReadBinaryOrNil(out Payload, out bool noPayload) || noPayload != (kind == 0)) return false;
        return reader.TryReadStringOrNil(out ContentType, out _)
            && reader.TryReadStringOrNil(out Type, out _)
            && reader.TryReadInt32OrNil(out Priority)
            && reader.TryReadInt64OrNil(out DelayMs)
            && reader.TryReadInt64OrNil(out RunAtMs)
            && TryReadUnique(ref reader)
            && reader.TrySkip()
            && reader.TryReadInt32OrNil(out MaxAttempts)
            && TryReadRetry(ref reader)
            && reader.TryReadInt64OrNil(out ExpireAfterMs)
            && reader.TrySkip()
            && reader.TryReadInt64OrNil(out KeepMs)
            && reader.TryReadInt64OrNil(out KeepDeadMs)
            && reader.TryReadStringsOrNil(out Tags)
            && reader.TryReadStringMapOrNil(out Headers)
            && reader.TrySkip()
            && reader.TrySkip();
    }

    private bool TryReadUnique(scoped ref MessagePackReader reader)
    {
        if (reader.TryReadNil()) return true;
        if (!reader.TryReadArrayHeader(out int count) || count < 4) return false;
        if (!reader.TryReadString(out UniqueKey) || UniqueKey.IsEmpty) return false;
        if (!reader.TryReadInt32(out int until) || until is < 0 or > (int)UniqueUntil.Window) return false;
        if (!reader.TryReadInt64(out UniqueWindowMs)) return false;
        if (!reader.TryReadInt32(out int conflict) || conflict is < 0 or > (int)ConflictChoice.Replace) return false;
        UniqueUntil = (UniqueUntil)until;
        OnConflict = (ConflictChoice)conflict;
        return reader.TrySkipMany(count - 4);
    }

    private bool TryReadRetry(scoped ref MessagePackReader reader)
    {
        if (reader.TryReadNil()) return true;
        if (!reader.TryReadArrayHeader(out int count) || count < 4) return false;
        if (!reader.TryReadInt32(out int backoff) || backoff is < 0 or > (int)BackoffKind.Fixed) return false;
        if (!reader.TryReadInt64(out long baseMs) || !reader.TryReadInt64(out long maxMs) || !reader.TryReadInt32(out int jitter)) return false;
        Retry = new RetryPolicy((BackoffKind)backoff, baseMs, maxMs, jitter);
        return Bounds.IsRetry(Retry.Value) && reader.TrySkipMany(count - 4);
    }

    private readonly bool IsInBounds() =>
        !(DelayMs is not null && RunAtMs is not null)
        && Payload.Length <= JobLimits.MaxPayloadBytes
        && ContentType.Length <= JobLimits.MaxContentTypeBytes
        && Type.Length <= JobLimits.MaxTypeBytes
        && UniqueKey.Length <= JobLimits.MaxKeyBytes
        && Bounds.IsDuration(UniqueWindowMs)
        && Priority is null or (>= 0 and <= JobLimits.MaxPriority)
        && Bounds.IsDurationOrNull(DelayMs)
        && RunAtMs is null or <= JobLimits.MaxTimeMs
        && MaxAttempts is null or >= 1
        && Bounds.IsDurationOrNull(ExpireAfterMs)
        && Bounds.IsDurationOrNull(KeepMs)
        && Bounds.IsDurationOrNull(KeepDeadMs)
        && Tags.Length <= JobLimits.MaxTagsBytes
        && Headers.Length <= JobLimits.MaxHeadersBytes;
}
