using System.Buffers.Binary;
using RaftQueue.Jobs.Structures;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs.State;

/// <summary>
/// What a job has from its first lease or its end on: when it started and finished, progress, result, the last attempts. One
/// instance is used for one job at a time: <see cref="Load"/>, change, <see cref="Save"/>.
/// </summary>
internal sealed class RunData(BlobStore blobs)
{
    private const int HeaderBytes = (2 * sizeof(long)) + (2 * sizeof(int)) + 1;
    private const int AttemptBytes = sizeof(uint) + (2 * sizeof(long)) + 1 + (2 * sizeof(ushort));
    private readonly RunAttempt[] _attempts = new RunAttempt[JobLimits.RememberedAttempts];
    private readonly ScratchBuffer _encoded = new();
    private byte[] _bytes = new byte[1024];
    private int _used;
    private ByteRange _progress;
    private ByteRange _result;

    /// <summary>Of the last attempt, Unix ms; 0 when none was made.</summary>
    public long StartedAt { get; private set; }

    /// <summary>Unix ms; 0 while not finished.</summary>
    public long FinishedAt { get; set; }

    public int AttemptCount { get; private set; }

    public ReadOnlySpan<byte> Progress => Bytes(_progress);

    public ReadOnlySpan<byte> Result => Bytes(_result);

    /// <summary>Of the last remembered attempt that failed; empty once one succeeded after it.</summary>
    public ReadOnlySpan<byte> LastError
    {
        get
        {
            for (int i = AttemptCount - 1; i >= 0; i--)
            {
                if (_attempts[i].Outcome is AttemptOutcome.Succeeded or AttemptOutcome.Rescheduled) break;
                if (_attempts[i].Error.Length > 0) return Bytes(_attempts[i].Error);
            }

            return default;
        }
    }

    /// <summary>Oldest first.</summary>
    public ref readonly RunAttempt Attempt(int index) => ref _attempts[index];

    public ReadOnlySpan<byte> Bytes(ByteRange range) => _bytes.AsSpan(range.Start, range.Length);

    /// <summary>Reads the blob; none stands for nothing yet.</summary>
    public void Load(BlobRef blob)
    {
        _used = 0;
        StartedAt = 0;
        FinishedAt = 0;
        AttemptCount = 0;
        _progress = default;
        _result = default;
        if (blob.IsNone) return;
        int length = blobs.Length(blob);
        Reserve(length);
        blobs.Read(blob, _bytes);
        _used = length;
        Decode();
    }

    /// <summary>A new attempt starts.</summary>
    public void Begin(uint number, ReadOnlySpan<byte> worker, long now)
    {
        if (AttemptCount == _attempts.Length)
        {
            _attempts.AsSpan(1).CopyTo(_attempts);
            AttemptCount--;
        }

        _attempts[AttemptCount++] = new RunAttempt { Number = number, StartedAt = now, Worker = Keep(worker) };
        StartedAt = now;
        _progress = default;
    }

    /// <summary>The running attempt ends.</summary>
    public void End(AttemptOutcome outcome, ReadOnlySpan<byte> error, long now)
    {
        Invariant.That(AttemptCount > 0, "an attempt that ends was begun");
        ByteRange kept = Keep(error);
        ref RunAttempt attempt = ref _attempts[AttemptCount - 1];
        Invariant.That(attempt.Outcome == AttemptOutcome.Running, "an attempt ends once");
        attempt.Outcome = outcome;
        attempt.EndedAt = now;
        attempt.Error = kept;
    }

    public void SetProgress(ReadOnlySpan<byte> progress) => _progress = Keep(progress);

    public void SetResult(ReadOnlySpan<byte> result) => _result = Keep(result);

    /// <summary>Writes a new blob in place of <paramref name="old"/>, which is freed.</summary>
    public BlobRef Save(BlobRef old)
    {
        ReadOnlySpan<byte> encoded = Encode();
        if (!old.IsNone) blobs.Free(old);
        return blobs.Write(encoded);
    }

    private void Decode()
    {
        ReadOnlySpan<byte> bytes = _bytes.AsSpan(0, _used);
        StartedAt = BinaryPrimitives.ReadInt64LittleEndian(bytes);
        FinishedAt = BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]);
        int progress = BinaryPrimitives.ReadInt32LittleEndian(bytes[16..]);
        int result = BinaryPrimitives.ReadInt32LittleEndian(bytes[20..]);
        AttemptCount = bytes[24];
        int at = HeaderBytes;
        for (int i = 0; i < AttemptCount; i++)
        {
            ReadOnlySpan<byte> fixedPart = bytes[at..];
            int worker = BinaryPrimitives.ReadUInt16LittleEndian(fixedPart[21..]);
            int error = BinaryPrimitives.ReadUInt16LittleEndian(fixedPart[23..]);
            at += AttemptBytes;
            _attempts[i] = new RunAttempt
            {
                Number = BinaryPrimitives.ReadUInt32LittleEndian(fixedPart),
                StartedAt = BinaryPrimitives.ReadInt64LittleEndian(fixedPart[4..]),
                EndedAt = BinaryPrimitives.ReadInt64LittleEndian(fixedPart[12..]),
                Outcome = (AttemptOutcome)fixedPart[20],
                Worker = new ByteRange(at, worker),
                Error = new ByteRange(at + worker, error),
            };
            at += worker + error;
        }

        _progress = new ByteRange(at, progress);
        _result = new ByteRange(at + progress, result);
        Invariant.That(at + progress + result == _used, "a job's run data fill their blob");
    }

    private ReadOnlySpan<byte> Encode()
    {
        int size = HeaderBytes + _progress.Length + _result.Length;
        for (int i = 0; i < AttemptCount; i++) size += AttemptBytes + _attempts[i].Worker.Length + _attempts[i].Error.Length;
        Span<byte> bytes = _encoded.Take(size);
        BinaryPrimitives.WriteInt64LittleEndian(bytes, StartedAt);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[8..], FinishedAt);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[16..], _progress.Length);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[20..], _result.Length);
        bytes[24] = (byte)AttemptCount;
        int at = HeaderBytes;
        for (int i = 0; i < AttemptCount; i++)
        {
            ref readonly RunAttempt attempt = ref _attempts[i];
            Span<byte> fixedPart = bytes[at..];
            BinaryPrimitives.WriteUInt32LittleEndian(fixedPart, attempt.Number);
            BinaryPrimitives.WriteInt64LittleEndian(fixedPart[4..], attempt.StartedAt);
            BinaryPrimitives.WriteInt64LittleEndian(fixedPart[12..], attempt.EndedAt);
            fixedPart[20] = (byte)attempt.Outcome;
            BinaryPrimitives.WriteUInt16LittleEndian(fixedPart[21..], (ushort)attempt.Worker.Length);
            BinaryPrimitives.WriteUInt16LittleEndian(fixedPart[23..], (ushort)attempt.Error.Length);
            at += AttemptBytes;
            Append(bytes, ref at, attempt.Worker);
            Append(bytes, ref at, attempt.Error);
        }

        Append(bytes, ref at, _progress);
        Append(bytes, ref at, _result);
        return bytes;
    }

    private void Append(Span<byte> destination, ref int at, ByteRange range)
    {
        Bytes(range).CopyTo(destination[at..]);
        at += range.Length;
    }

    private ByteRange Keep(ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty) return default;
        Reserve(_used + value.Length);
        value.CopyTo(_bytes.AsSpan(_used));
        var range = new ByteRange(_used, value.Length);
        _used += value.Length;
        return range;
    }

    private void Reserve(int length)
    {
        if (length > _bytes.Length) Array.Resize(ref _bytes, Math.Max(length, 2 * _bytes.Length));
    }
}
