using RaftQueue.Jobs.Structures;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs.State;

/// <summary>
/// What a job has from its first lease or its end on: when it started and finished, progress, result, the last attempts. One
/// instance is used for one job at a time: <see cref="Load"/>, change, <see cref="Save"/>.
/// </summary>
/// <remarks>
/// A job that is scheduled again and again has all ten attempts, so they are stored small, as <see cref="VarInt"/>s: times as what
/// they differ by from the one before, and a worker only where it is another than that of the attempt before.
/// </remarks>
internal sealed class RunData(BlobStore blobs)
{
    private const int HeaderBytes = 1 + (4 * VarInt.MaxBytes);
    private const int AttemptBytes = 1 + (5 * VarInt.MaxBytes);
    private const ulong SameWorker = 0;
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
        FinishedAt = 0;
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
        AttemptCount = bytes[0];
        int at = 1;
        StartedAt = (long)VarInt.Read(bytes, ref at);
        FinishedAt = EndAfter(StartedAt, VarInt.Read(bytes, ref at));
        int progress = (int)VarInt.Read(bytes, ref at);
        int result = (int)VarInt.Read(bytes, ref at);
        long before = 0;
        ByteRange worker = default;
        for (int i = 0; i < AttemptCount; i++)
        {
            ref RunAttempt attempt = ref _attempts[i];
            attempt.Outcome = (AttemptOutcome)bytes[at++];
            attempt.Number = (uint)VarInt.Read(bytes, ref at);
            attempt.StartedAt = before += (long)VarInt.Read(bytes, ref at);
            attempt.EndedAt = EndAfter(before, VarInt.Read(bytes, ref at));
            ulong length = VarInt.Read(bytes, ref at);
            if (length != SameWorker) worker = Next(ref at, (int)length - 1);
            attempt.Worker = worker;
            int error = (int)VarInt.Read(bytes, ref at);
            attempt.Error = Next(ref at, error);
        }

        _progress = Next(ref at, progress);
        _result = Next(ref at, result);
        Invariant.That(at == _used, "a job's run data fill their blob");
    }

    private ReadOnlySpan<byte> Encode()
    {
        int size = HeaderBytes + _progress.Length + _result.Length;
        for (int i = 0; i < AttemptCount; i++) size += AttemptBytes + _attempts[i].Worker.Length + _attempts[i].Error.Length;
        Span<byte> bytes = _encoded.Take(size);
        bytes[0] = (byte)AttemptCount;
        int at = 1;
        VarInt.Write(bytes, ref at, (ulong)StartedAt);
        VarInt.Write(bytes, ref at, EndFrom(StartedAt, FinishedAt));
        VarInt.Write(bytes, ref at, (ulong)_progress.Length);
        VarInt.Write(bytes, ref at, (ulong)_result.Length);
        long before = 0;
        ReadOnlySpan<byte> worker = default;
        for (int i = 0; i < AttemptCount; i++)
        {
            ref readonly RunAttempt attempt = ref _attempts[i];
            Invariant.That(attempt.StartedAt >= before, "attempts follow each other in time");
            bytes[at++] = (byte)attempt.Outcome;
            VarInt.Write(bytes, ref at, attempt.Number);
            VarInt.Write(bytes, ref at, (ulong)(attempt.StartedAt - before));
            VarInt.Write(bytes, ref at, EndFrom(attempt.StartedAt, attempt.Outcome == AttemptOutcome.Running ? 0 : attempt.EndedAt));
            WriteWorker(bytes, ref at, Bytes(attempt.Worker), worker);
            VarInt.Write(bytes, ref at, (ulong)attempt.Error.Length);
            Append(bytes, ref at, attempt.Error);
            before = attempt.StartedAt;
            worker = Bytes(attempt.Worker);
        }

        Append(bytes, ref at, _progress);
        Append(bytes, ref at, _result);
        return bytes[..at];
    }

    /// <summary>0 stands for no end yet.</summary>
    private static ulong EndFrom(long start, long end)
    {
        if (end == 0) return 0;
        Invariant.That(end >= start, "an end is not before its beginning");
        return (ulong)(end - start) + 1;
    }

    private static long EndAfter(long start, ulong stored) => stored == 0 ? 0 : start + (long)stored - 1;

    private static void WriteWorker(Span<byte> bytes, ref int at, ReadOnlySpan<byte> worker, ReadOnlySpan<byte> before)
    {
        if (worker.SequenceEqual(before))
        {
            VarInt.Write(bytes, ref at, SameWorker);
            return;
        }

        VarInt.Write(bytes, ref at, (ulong)worker.Length + 1);
        worker.CopyTo(bytes[at..]);
        at += worker.Length;
    }

    private static ByteRange Next(ref int at, int length)
    {
        var range = new ByteRange(at, length);
        at += length;
        return range;
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
