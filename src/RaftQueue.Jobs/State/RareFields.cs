using System.Buffers.Binary;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs.State;

/// <summary>
/// What few jobs have, as one blob: a word that says which are there, the fixed ones in order, then the byte strings, each with
/// its length in front. Little endian. Spans point into what was read.
/// </summary>
internal ref struct RareFields
{
    private const ushort HasExpireAfter = 1;
    private const ushort HasKeep = 1 << 1;
    private const ushort HasKeepDead = 1 << 2;
    private const ushort HasRetry = 1 << 3;
    private const ushort HasWindow = 1 << 4;
    private const int FixedBytes = 2 + (4 * sizeof(long)) + RetryBytes;
    private const int RetryBytes = 1 + (2 * sizeof(long)) + sizeof(int);
    private const int Strings = 5;

    public long? ExpireAfterMs;
    public long? KeepMs;
    public long? KeepDeadMs;
    public RetryPolicy? Retry;

    /// <summary>When the unique key's window ends, Unix ms.</summary>
    public long? WindowEndMs;
    public ReadOnlySpan<byte> Type;
    public ReadOnlySpan<byte> ContentType;
    public ReadOnlySpan<byte> UniqueKey;

    /// <summary>Encoded array.</summary>
    public ReadOnlySpan<byte> Tags;

    /// <summary>Encoded map.</summary>
    public ReadOnlySpan<byte> Headers;

    public readonly bool IsEmpty =>
        ExpireAfterMs is null && KeepMs is null && KeepDeadMs is null && Retry is null && WindowEndMs is null
        && Type.IsEmpty && ContentType.IsEmpty && UniqueKey.IsEmpty && Tags.IsEmpty && Headers.IsEmpty;

    /// <summary>An upper bound of what <see cref="Write"/> takes.</summary>
    public readonly int MaxSize =>
        FixedBytes + (Strings * sizeof(int)) + Type.Length + ContentType.Length + UniqueKey.Length + Tags.Length + Headers.Length;

    public readonly int Write(Span<byte> destination)
    {
        ushort present = 0;
        int at = sizeof(ushort);
        if (ExpireAfterMs is { } expire) Put(destination, ref at, ref present, HasExpireAfter, expire);
        if (KeepMs is { } keep) Put(destination, ref at, ref present, HasKeep, keep);
        if (KeepDeadMs is { } keepDead) Put(destination, ref at, ref present, HasKeepDead, keepDead);
        if (WindowEndMs is { } window) Put(destination, ref at, ref present, HasWindow, window);
        if (Retry is { } retry)
        {
            Put(destination, ref at, ref present, HasRetry, retry.BaseMs);
            Put(destination, ref at, ref present, HasRetry, retry.MaxMs);
            BinaryPrimitives.WriteInt32LittleEndian(destination[at..], retry.JitterPpm);
            destination[at + sizeof(int)] = (byte)retry.Backoff;
            at += sizeof(int) + 1;
        }

        BinaryPrimitives.WriteUInt16LittleEndian(destination, present);
        Put(destination, ref at, Type);
        Put(destination, ref at, ContentType);
        Put(destination, ref at, UniqueKey);
        Put(destination, ref at, Tags);
        Put(destination, ref at, Headers);
        return at;
    }

    public static RareFields Read(ReadOnlySpan<byte> bytes)
    {
        var fields = new RareFields();
        ushort present = BinaryPrimitives.ReadUInt16LittleEndian(bytes);
        int at = sizeof(ushort);
        if ((present & HasExpireAfter) != 0) fields.ExpireAfterMs = TakeInt64(bytes, ref at);
        if ((present & HasKeep) != 0) fields.KeepMs = TakeInt64(bytes, ref at);
        if ((present & HasKeepDead) != 0) fields.KeepDeadMs = TakeInt64(bytes, ref at);
        if ((present & HasWindow) != 0) fields.WindowEndMs = TakeInt64(bytes, ref at);
        if ((present & HasRetry) != 0)
        {
            long baseMs = TakeInt64(bytes, ref at);
            long maxMs = TakeInt64(bytes, ref at);
            int jitter = BinaryPrimitives.ReadInt32LittleEndian(bytes[at..]);
            fields.Retry = new RetryPolicy((BackoffKind)bytes[at + sizeof(int)], baseMs, maxMs, jitter);
            at += sizeof(int) + 1;
        }

        fields.Type = TakeString(bytes, ref at);
        fields.ContentType = TakeString(bytes, ref at);
        fields.UniqueKey = TakeString(bytes, ref at);
        fields.Tags = TakeString(bytes, ref at);
        fields.Headers = TakeString(bytes, ref at);
        Invariant.That(at == bytes.Length, "a job's rare fields fill their blob");
        return fields;
    }

    private static void Put(Span<byte> destination, scoped ref int at, scoped ref ushort present, ushort flag, long value)
    {
        present |= flag;
        BinaryPrimitives.WriteInt64LittleEndian(destination[at..], value);
        at += sizeof(long);
    }

    /// <summary>Lengths below 255 take a byte, others five: most of these are short.</summary>
    private static void Put(Span<byte> destination, scoped ref int at, ReadOnlySpan<byte> value)
    {
        if (value.Length < byte.MaxValue)
        {
            destination[at++] = (byte)value.Length;
        }
        else
        {
            destination[at] = byte.MaxValue;
            BinaryPrimitives.WriteInt32LittleEndian(destination[(at + 1)..], value.Length);
            at += 1 + sizeof(int);
        }

        value.CopyTo(destination[at..]);
        at += value.Length;
    }

    private static long TakeInt64(ReadOnlySpan<byte> bytes, scoped ref int at)
    {
        long value = BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]);
        at += sizeof(long);
        return value;
    }

    private static ReadOnlySpan<byte> TakeString(ReadOnlySpan<byte> bytes, scoped ref int at)
    {
        int length = bytes[at++];
        if (length == byte.MaxValue)
        {
            length = BinaryPrimitives.ReadInt32LittleEndian(bytes[at..]);
            at += sizeof(int);
        }

        ReadOnlySpan<byte> value = bytes.Slice(at, length);
        at += length;
        return value;
    }
}
