using System.Buffers;
using System.Buffers.Text;
using RaftQueue.Jobs;

namespace RaftQueue.Server.Contracts;

/// <summary>Reads one job of an enqueue request. What it returns points into the body and the scratch buffers.</summary>
public sealed class JobParser
{
    /// <summary>The member that makes a request a batch.</summary>
    public const int JobsField = 0;

    /// <summary>All that an enqueue request may have; <c>jobs</c> only at the top.</summary>
    public static readonly Fields Names = new(
        "jobs", "payload", "payloadBase64", "payloadBytes", "contentType", "type", "priority", "delayMs", "runAt", "unique", "maxAttempts",
        "retry", "expireAfterMs", "keepMs", "keepDeadMs", "tags", "headers", "group", "timeoutMs", "dependsOn", "onDependencyFailure", "ref");

    private const int PayloadField = 1;
    private const int PayloadBase64Field = 2;
    private const int PayloadBytesField = 3;
    private const int ContentTypeField = 4;

    private static readonly Fields UniqueNames = new("key", "until", "windowMs", "onConflict");
    private static readonly Fields Untils = new("leased", "finished", "window");
    private static readonly Fields Conflicts = new("return", "reject", "replace");
    private static readonly Fields RetryNames = new("backoff", "baseMs", "maxMs", "jitter");
    private static readonly Fields Backoffs = new("exponential", "linear", "fixed");

    private readonly RequestLimits _limits;
    private readonly RequestScratch _scratch;
    private readonly RequestErrors _errors;
    private readonly StringLists _lists;

    public JobParser(RequestLimits limits, RequestScratch scratch, ReadOnlyMemory<byte> traceParent)
    {
        _limits = limits;
        _scratch = scratch;
        _errors = scratch.Errors;
        _lists = new StringLists(limits, scratch, traceParent);
    }

    /// <summary>Reads the object that stands next. What is wrong goes to the errors; the job is then not to be used.</summary>
    public void Read(scoped ref ValueReader reader, ref JobSpec job)
    {
        if (!reader.TryOpenObject(out int left))
        {
            _errors.Add("Must be an object: one job.");
            reader.Skip();
            return;
        }

        ulong seen = 0;
        Begin();
        while (Names.Next(ref reader, ref left, ref seen, _errors, out int field)) ReadField(ref reader, ref job, field);
        Finish(ref job, seen);
    }

    /// <summary>Before the members of a job.</summary>
    public void Begin()
    {
        _scratch.Tags.Clear();
        _scratch.Headers.Clear();
        _scratch.Payload.Clear();
    }

    /// <summary>One member of a job.</summary>
    public void ReadField(scoped ref ValueReader reader, ref JobSpec job, int field)
    {
        string name = Names.NameOf(field);
        switch (name)
        {
            case "payload": ReadPayload(ref reader, ref job); break;
            case "payloadBase64": ReadBase64(ref reader, ref job); break;
            case "payloadBytes": ReadBytes(ref reader, ref job); break;
            case "contentType": job.ContentType = FieldReading.String(ref reader, _errors, name, _limits.ContentTypeBytes); break;
            case "type": ReadType(ref reader, ref job); break;
            case "priority": job.Priority = (int?)FieldReading.Integer(ref reader, _errors, name, 0, JobLimits.MaxPriority); break;
            case "delayMs": job.DelayMs = FieldReading.Duration(ref reader, _errors, name); break;
            case "runAt": job.RunAtMs = FieldReading.Time(ref reader, _errors, name); break;
            case "unique": ReadUnique(ref reader, ref job); break;
            case "maxAttempts":
                job.MaxAttempts = (int?)FieldReading.Integer(ref reader, _errors, name, 1, _limits.MaxAttempts);
                break;
            case "retry": job.Retry = ReadRetry(ref reader, _errors); break;
            case "expireAfterMs": job.ExpireAfterMs = FieldReading.Duration(ref reader, _errors, name, 1); break;
            case "keepMs": job.KeepMs = FieldReading.Duration(ref reader, _errors, name); break;
            case "keepDeadMs": job.KeepDeadMs = FieldReading.Duration(ref reader, _errors, name); break;
            case "tags": job.Tags = _lists.ReadTags(ref reader); break;
            case "headers": job.Headers = _lists.ReadHeaders(ref reader); break;
            case "jobs": FieldReading.Refuse(ref reader, _errors, name, "A job has no jobs of its own."); break;
            default: FieldReading.NotYet(ref reader, _errors, name); break;
        }
    }

    /// <summary>After the members of a job: what concerns several of them.</summary>
    public void Finish(ref JobSpec job, ulong seen)
    {
        const ulong Payloads = (1UL << PayloadField) | (1UL << PayloadBase64Field) | (1UL << PayloadBytesField);
        if (ulong.PopCount(seen & Payloads) > 1) _errors.Add("payload", "A job has one payload: JSON, or bytes, not both.");
        if (job.PayloadKind != PayloadKind.Bytes && !job.ContentType.IsEmpty)
            _errors.Add("contentType", "Goes with payloadBase64; the type of payload is JSON.");
        if (job.DelayMs is not null && job.RunAtMs is not null) _errors.Add("runAt", "delayMs and runAt exclude each other.");
        if (job.Headers.IsEmpty) job.Headers = _lists.TraceHeadersAlone();
    }

    /// <summary>The retry policy that stands next; what it leaves out is as if no retry were given.</summary>
    public static RetryPolicy? ReadRetry(scoped ref ValueReader reader, RequestErrors errors)
    {
        if (reader.TryTakeNull()) return null;
        if (!reader.TryOpenObject(out int left))
        {
            FieldReading.Refuse(ref reader, errors, "retry", "Must be an object with backoff, baseMs, maxMs, jitter.");
            return null;
        }

        RetryPolicy policy = RetryPolicy.Default;
        ulong seen = 0;
        errors.Enter("retry");
        while (RetryNames.Next(ref reader, ref left, ref seen, errors, out int field))
        {
            string name = RetryNames.NameOf(field);
            policy = field switch
            {
                0 => policy with { Backoff = (BackoffKind)(FieldReading.Choice(ref reader, errors, name, Backoffs) ?? (int)policy.Backoff) },
                1 => policy with { BaseMs = FieldReading.Duration(ref reader, errors, name) ?? policy.BaseMs },
                2 => policy with { MaxMs = FieldReading.Duration(ref reader, errors, name) ?? policy.MaxMs },
                _ => policy with { JitterPpm = ReadJitter(ref reader, errors, name) ?? policy.JitterPpm },
            };
        }

        errors.Leave();
        return policy;
    }

    /// <summary>A share of the delay, in millionths.</summary>
    public static int? ReadJitter(scoped ref ValueReader reader, RequestErrors errors, string name)
    {
        if (reader.TryTakeNull()) return null;
        if (!reader.TryTakeNumber(out double jitter))
        {
            FieldReading.Refuse(ref reader, errors, name, "Must be a number from 0 to 10.");
            return null;
        }

        if (jitter is >= 0 and <= 10) return (int)Math.Round(jitter * 1_000_000);
        errors.Add(name, "Must be a number from 0 to 10.");
        return null;
    }

    private void ReadPayload(scoped ref ValueReader reader, ref JobSpec job)
    {
        if (reader.Format == BodyFormat.MessagePack && reader.TryTakeNull()) return;
        if (!reader.TryTakeJsonText(out ReadOnlySpan<byte> text, out string? wrong))
        {
            FieldReading.Refuse(ref reader, _errors, "payload", Sentence(wrong));
            return;
        }

        SetPayload(ref job, PayloadKind.Json, text, "payload");
    }

    private void ReadBase64(scoped ref ValueReader reader, ref JobSpec job)
    {
        const string Name = "payloadBase64";
        if (reader.Format == BodyFormat.MessagePack)
        {
            FieldReading.Refuse(ref reader, _errors, Name, "In MessagePack bytes are given as payloadBytes, a bin.");
            return;
        }

        if (!FieldReading.TryTakeText(ref reader, _errors, Name, out ReadOnlySpan<byte> text)) return;
        Span<byte> room = _scratch.Payload.GetSpan(Base64.GetMaxDecodedFromUtf8Length(text.Length) + 1);
        if (Base64.DecodeFromUtf8(text, room, out _, out int written) != OperationStatus.Done)
        {
            _errors.Add(Name, "Must be base64 as in RFC 4648 section 4, padded.");
            return;
        }

        _scratch.Payload.Advance(written);
        SetPayload(ref job, PayloadKind.Bytes, _scratch.Payload.WrittenSpan, Name);
    }

    private void ReadBytes(scoped ref ValueReader reader, ref JobSpec job)
    {
        const string Name = "payloadBytes";
        if (reader.Format == BodyFormat.Json)
        {
            FieldReading.Refuse(ref reader, _errors, Name, "In JSON bytes are given as payloadBase64.");
            return;
        }

        if (reader.TryTakeNull()) return;
        if (reader.TryTakeBinary(out ReadOnlySpan<byte> bytes)) SetPayload(ref job, PayloadKind.Bytes, bytes, Name);
        else FieldReading.Refuse(ref reader, _errors, Name, "Must be a bin.");
    }

    private void SetPayload(ref JobSpec job, PayloadKind kind, ReadOnlySpan<byte> payload, string name)
    {
        if (payload.Length > _limits.PayloadBytes)
        {
            _errors.Add(ProblemCode.PayloadTooLarge, name, $"Must be at most {_limits.PayloadBytes} bytes, and is {payload.Length}.");
            return;
        }

        job.PayloadKind = kind;
        job.Payload = payload;
    }

    private void ReadType(scoped ref ValueReader reader, ref JobSpec job)
    {
        ReadOnlySpan<byte> type = FieldReading.String(ref reader, _errors, "type", 4 * _limits.TypeCharacters);
        if (TextRules.CountCharacters(type) > _limits.TypeCharacters)
            _errors.Add("type", $"Must be at most {_limits.TypeCharacters} characters.");
        else job.Type = type;
    }

    private void ReadUnique(scoped ref ValueReader reader, ref JobSpec job)
    {
        if (reader.TryTakeNull()) return;
        if (!reader.TryOpenObject(out int left))
        {
            FieldReading.Refuse(ref reader, _errors, "unique", "Must be an object with key, until, windowMs, onConflict.");
            return;
        }

        _errors.Enter("unique");
        int before = _errors.Count;
        ulong seen = 0;
        long? window = null;
        job.UniqueUntil = UniqueUntil.Finished;
        while (UniqueNames.Next(ref reader, ref left, ref seen, _errors, out int field))
        {
            string name = UniqueNames.NameOf(field);
            switch (field)
            {
                case 0: job.UniqueKey = FieldReading.String(ref reader, _errors, name, _limits.KeyBytes); break;
                case 1: job.UniqueUntil = (UniqueUntil)(FieldReading.Choice(ref reader, _errors, name, Untils) ?? (int)UniqueUntil.Finished); break;
                case 2: window = FieldReading.Duration(ref reader, _errors, name, 1); break;
                default: job.OnConflict = (ConflictChoice)(FieldReading.Choice(ref reader, _errors, name, Conflicts) ?? 0); break;
            }
        }

        if (_errors.Count == before) CheckUnique(ref job, window);
        job.UniqueWindowMs = window ?? 0;
        _errors.Leave();
    }

    private void CheckUnique(ref JobSpec job, long? window)
    {
        if (job.UniqueKey.IsEmpty) _errors.Add("key", "Is missing.");
        bool isWindow = job.UniqueUntil == UniqueUntil.Window;
        if (isWindow && window is null) _errors.Add("windowMs", "Is missing: until is \"window\".");
        if (!isWindow && window is not null) _errors.Add("windowMs", "Goes only with \"until\": \"window\".");
    }

    private static string Sentence(string? wrong) => wrong is null ? "" : char.ToUpperInvariant(wrong[0]) + wrong[1..] + ".";
}
