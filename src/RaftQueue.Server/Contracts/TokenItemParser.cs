using RaftQueue.Jobs;

namespace RaftQueue.Server.Contracts;

/// <summary>Reads one item of a request on lease tokens.</summary>
internal sealed class TokenItemParser
{
    private static readonly Fields AckNames = new("token", "result");
    private static readonly Fields NackNames = new("token", "error", "delayMs", "dead");
    private static readonly Fields ExtendNames = new("token", "leaseMs", "progress");
    private static readonly Fields ReleaseNames = new("token", "delayMs");
    private static readonly Fields RescheduleNames =
        new("token", "delayMs", "runAt", "payload", "payloadBase64", "payloadBytes", "contentType", "priority");

    private readonly RequestLimits _limits;
    private readonly RequestScratch _scratch;
    private readonly RequestErrors _errors;
    private readonly RequestErrors _values = new();
    private readonly JobParser _jobs;
    private readonly TokenVerb _verb;
    private readonly Fields _names;

    public TokenItemParser(RequestLimits limits, RequestScratch scratch, TokenVerb verb)
    {
        _limits = limits;
        _scratch = scratch;
        _errors = scratch.Errors;
        _jobs = new JobParser(limits, scratch, default);
        _verb = verb;
        _names = verb switch
        {
            TokenVerb.Ack => AckNames,
            TokenVerb.Nack => NackNames,
            TokenVerb.Extend => ExtendNames,
            TokenVerb.Release => ReleaseNames,
            _ => RescheduleNames,
        };
    }

    /// <summary>False when the item has no sense: the errors say why.</summary>
    public bool Read(scoped ref ValueReader reader, ref TokenDraft draft)
    {
        if (!reader.TryOpenObject(out int left))
        {
            _errors.Add($"Must be an object with {_names}.");
            reader.Skip();
            return false;
        }

        int before = _errors.Count;
        ulong seen = 0;
        _scratch.Payload.Clear();
        _values.Clear();
        while (_names.Next(ref reader, ref left, ref seen, _errors, out int field)) ReadField(ref reader, ref draft, _names.NameOf(field));
        if ((seen & 1) == 0) _errors.Add("token", "Is missing.");
        CheckWhole(ref draft);
        if (_values.Any && draft.Refusal is null) draft.Refusal = Problem.Invalid(_values);
        return _errors.Count == before;
    }

    private void ReadField(scoped ref ValueReader reader, ref TokenDraft draft, string name)
    {
        if (IsWrongType(reader.Kind, name, reader.Format) is { } must)
        {
            FieldReading.Refuse(ref reader, _errors, name, must);
            return;
        }

        switch (name)
        {
            case "token":
                if (!FieldReading.TryTakeText(ref reader, _errors, name, out draft.Token)) _errors.Add(name, "Must be a string.");
                break;
            case "result": ReadJson(ref reader, ref draft, name, _limits.ResultBytes); break;
            case "progress": ReadJson(ref reader, ref draft, name, _limits.ProgressBytes); break;
            case "error":
                if (FieldReading.TryTakeText(ref reader, _errors, name, out ReadOnlySpan<byte> error))
                    draft.Error = TextRules.Cut(error, _limits.ErrorBytes);
                break;
            case "dead": draft.Dead = FieldReading.Bool(ref reader, _errors, name) ?? false; break;
            case "leaseMs":
                draft.LeaseMs = FieldReading.Integer(ref reader, _values, name, _limits.MinLeaseMs, _limits.MaxLeaseMs);
                break;
            case "delayMs": draft.Job.DelayMs = FieldReading.Duration(ref reader, _values, name); break;
            case "runAt": draft.Job.RunAtMs = FieldReading.Time(ref reader, _values, name); break;
            case "priority":
                draft.Job.Priority = (int?)FieldReading.Integer(ref reader, _values, name, 0, JobLimits.MaxPriority);
                break;
            default: ReadPayload(ref reader, ref draft, name); break;
        }
    }

    /// <summary>Null unless the value is of a type that the field never has.</summary>
    private static string? IsWrongType(ValueKind kind, string name, BodyFormat format)
    {
        if (kind == ValueKind.Null) return null;
        return name switch
        {
            "delayMs" or "leaseMs" or "priority" when kind != ValueKind.Number => "Must be an integer.",
            "runAt" or "token" or "error" or "payloadBase64" or "contentType" when kind != ValueKind.String => "Must be a string.",
            "result" or "progress" or "payload" when format == BodyFormat.MessagePack && kind != ValueKind.String =>
                "Must be a str of JSON text.",
            _ => null,
        };
    }

    private void ReadJson(scoped ref ValueReader reader, ref TokenDraft draft, string name, int maxBytes)
    {
        if (reader.Format == BodyFormat.MessagePack && reader.TryTakeNull()) return;
        if (!reader.TryTakeJsonText(out ReadOnlySpan<byte> text, out string? wrong))
        {
            FieldReading.Refuse(ref reader, _errors, name, $"It {wrong}.");
        }
        else if (text.Length > maxBytes)
        {
            draft.Refusal = new Problem(ProblemCode.PayloadTooLarge, $"{name}: must be at most {maxBytes} bytes, and is {text.Length}.");
        }
        else
        {
            draft.Json = text;
        }
    }

    private void ReadPayload(scoped ref ValueReader reader, ref TokenDraft draft, string name)
    {
        int before = _errors.Count;
        if (draft.HasPayload && name != "contentType")
        {
            FieldReading.Refuse(ref reader, _errors, name, "A job has one payload: JSON, or bytes, not both.");
            return;
        }

        draft.HasPayload |= name != "contentType" && (reader.Kind != ValueKind.Null || name == "payload");
        _jobs.ReadField(ref reader, ref draft.Job, JobParser.Names.Find(System.Text.Encoding.ASCII.GetBytes(name)));
        if (_errors.Count == before + 1 && _errors.Code == ProblemCode.PayloadTooLarge)
        {
            // Too large is this token's own trouble; the request itself makes sense.
            draft.Refusal = new Problem(ProblemCode.PayloadTooLarge, $"{name}: {_errors.Items[^1].Detail}");
            _errors.TakeBack();
        }
    }

    private void CheckWhole(ref TokenDraft draft)
    {
        switch (_verb)
        {
            case TokenVerb.Extend when draft.LeaseMs is null && !_values.Any:
                _errors.Add("leaseMs", "Is missing.");
                break;
            case TokenVerb.Reschedule when !_values.Any:
                if (draft.Job.DelayMs is null && draft.Job.RunAtMs is null) _errors.Add("delayMs", "Is missing: delayMs or runAt.");
                if (draft.Job.DelayMs is not null && draft.Job.RunAtMs is not null)
                    _errors.Add("runAt", "delayMs and runAt exclude each other.");
                if (!draft.Job.ContentType.IsEmpty && draft.Job.PayloadKind != PayloadKind.Bytes)
                    _errors.Add("contentType", "Goes with payloadBase64; the type of payload is JSON.");
                break;
        }
    }
}
