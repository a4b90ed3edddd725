using RaftQueue.MessagePack;

namespace RaftQueue.Jobs.Views;

/// <summary>
/// A job as the state machine shows it, read from the array that <see cref="JobStore.TryWriteJob"/> and command results hold.
/// Spans point into the buffer that was read. Times are Unix ms. What is null or empty is absent.
/// </summary>
public ref struct JobView
{
    internal const int FieldCount = 30;

    public ulong Sequence;
    public long Slot;
    public ReadOnlySpan<byte> Queue;
    public ReadOnlySpan<byte> Type;
    public JobState State;
    public JobReason Reason;
    public int Priority;
    public long Attempt;
    public long MaxAttempts;
    public long Runs;
    public long Version;
    public long CreatedAtMs;
    public long RunAtMs;
    public long? StartedAtMs;
    public long? FinishedAtMs;
    public ReadOnlySpan<byte> UniqueKey;

    /// <summary>An encoded MessagePack array of strings; empty when there are none or the view was asked without.</summary>
    public ReadOnlySpan<byte> Tags;

    /// <summary>An encoded MessagePack map of strings; empty when there are none or the view was asked without.</summary>
    public ReadOnlySpan<byte> Headers;
    public PayloadKind PayloadKind;

    /// <summary>Whether the payload is in the view (and the kind is not <see cref="PayloadKind.None"/>).</summary>
    public bool HasPayload;
    public ReadOnlySpan<byte> Payload;
    public ReadOnlySpan<byte> ContentType;

    /// <summary>JSON text.</summary>
    public ReadOnlySpan<byte> Result;

    /// <summary>JSON text.</summary>
    public ReadOnlySpan<byte> Progress;

    /// <summary>Of the last attempt that failed, until one succeeds.</summary>
    public ReadOnlySpan<byte> Error;
    public bool CancelRequested;
    public int AttemptCount;

    /// <summary>Stands at the first of <see cref="AttemptCount"/> attempts, oldest first; take copies.</summary>
    public MessagePackReader Attempts;

    /// <summary>Only while leased.</summary>
    public bool HasLease;
    public ReadOnlySpan<byte> LeaseWorker;
    public ulong LeaseFence;
    public long LeaseExpiresAtMs;

    public static bool TryRead(scoped ref MessagePackReader reader, out JobView view)
    {
        view = default;
        if (!reader.TryReadArrayHeader(out int count) || count < FieldCount) return false;
        JobView read = default;
        bool whole = read.TryReadIdentity(ref reader)
            && read.TryReadTimes(ref reader)
            && read.TryReadContent(ref reader)
            && read.TryReadRun(ref reader)
            && reader.TrySkipMany(count - FieldCount);
        if (whole) view = read;
        return whole;
    }

    private bool TryReadIdentity(scoped ref MessagePackReader reader)
    {
        if (!reader.TryReadUInt64(out Sequence) || !reader.TryReadInt64(out Slot)) return false;
        if (!reader.TryReadString(out Queue) || !reader.TryReadStringOrNil(out Type, out _)) return false;
        if (!reader.TryReadInt32(out int state) || state is < 0 or >= JobStates.Count) return false;
        State = (JobState)state;
        if (!reader.TryReadInt32OrNil(out int? reason)) return false;
        Reason = (JobReason)(reason ?? 0);
        return reader.TryReadInt32(out Priority)
            && reader.TryReadInt64(out Attempt)
            && reader.TryReadInt64(out MaxAttempts)
            && reader.TryReadInt64(out Runs)
            && reader.TryReadInt64(out Version);
    }

    private bool TryReadTimes(scoped ref MessagePackReader reader) =>
        reader.TryReadInt64(out CreatedAtMs)
        && reader.TryReadInt64(out RunAtMs)
        && reader.TryReadInt64OrNil(out StartedAtMs)
        && reader.TryReadInt64OrNil(out FinishedAtMs);

    private bool TryReadContent(scoped ref MessagePackReader reader)
    {
        if (!reader.TrySkip() || !reader.TryReadStringOrNil(out UniqueKey, out _)) return false;
        if (!reader.TryReadStringsOrNil(out Tags) || !reader.TryReadStringMapOrNil(out Headers)) return false;
        if (!reader.TryReadInt32(out int kind) || kind is < 0 or > (int)PayloadKind.Bytes) return false;
        PayloadKind = (PayloadKind)kind;
        if (!reader.TryReadBinaryOrNil(out Payload, out bool none)) return false;
        HasPayload = !none;
        return reader.TryReadStringOrNil(out ContentType, out _)
            && reader.TryReadBinaryOrNil(out Result, out _)
            && reader.TryReadBinaryOrNil(out Progress, out _)
            && reader.TryReadStringOrNil(out Error, out _);
    }

    private bool TryReadRun(scoped ref MessagePackReader reader)
    {
        if (!reader.TryReadBool(out CancelRequested) || !reader.TryReadArrayHeader(out AttemptCount)) return false;
        Attempts = reader;
        if (!reader.TrySkipMany(AttemptCount)) return false;
        HasLease = !reader.TryReadNil();
        if (HasLease && !TryReadLease(ref reader)) return false;
        return reader.TrySkip() && reader.TrySkip();
    }

    private bool TryReadLease(scoped ref MessagePackReader reader) =>
        reader.TryReadArrayHeader(out int fields)
        && fields >= 3
        && reader.TryReadStringOrNil(out LeaseWorker, out _)
        && reader.TryReadUInt64(out LeaseFence)
        && reader.TryReadInt64(out LeaseExpiresAtMs)
        && reader.TrySkipMany(fields - 3);
}
