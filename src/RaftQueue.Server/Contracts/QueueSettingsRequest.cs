using System.Globalization;
using RaftQueue.Jobs;
using RaftQueue.Jobs.Commands;
using RaftQueue.MessagePack;

namespace RaftQueue.Server.Contracts;

/// <summary>
/// The body of a PUT or PATCH of a queue, as the settings map of <see cref="PutQueueCommand"/>: names of the HTTP interface, only that
/// <c>jitter</c> stands as <c>jitterPpm</c>. A null is written as nil: back to the default (RFC 7396).
/// </summary>
public sealed class QueueSettingsRequest : BodyRequest
{
    private const long MaxKeepFinished = 1_000_000_000;
    private const int MaxPointerBytes = 256;

    private static readonly Fields Names = new(
        "defaults", "uniqueBy", "keepFinished", "maxJobs", "onFull", "concurrency", "rate", "groupConcurrency", "groupRate", "deadLetterQueue");

    private static readonly Fields DefaultNames = new(
        "type", "priority", "delayMs", "maxAttempts", "retry", "expireAfterMs", "keepMs", "keepDeadMs", "tags", "headers", "leaseMs", "contentType",
        "group", "timeoutMs", "onDependencyFailure");

    private static readonly Fields RetryNames = new("backoff", "baseMs", "maxMs", "jitter");
    private static readonly Fields Backoffs = new("exponential", "linear", "fixed");

    private readonly RequestLimits _limits;
    private readonly RequestScratch _scratch;
    private readonly RequestErrors _errors;
    private readonly byte[] _queue;
    private readonly bool _replaceAll;

    /// <param name="queue">A valid name.</param>
    /// <param name="replaceAll">PUT; otherwise PATCH.</param>
    public QueueSettingsRequest(RequestLimits limits, RequestScratch scratch, byte[] queue, bool replaceAll)
    {
        _limits = limits;
        _scratch = scratch;
        _errors = scratch.Errors;
        _queue = queue;
        _replaceAll = replaceAll;
    }

    /// <summary>Leaves the command's body in <see cref="RequestScratch.Command"/>.</summary>
    public override void Read(scoped ref ValueReader reader)
    {
        _scratch.Payload.Clear();
        var writer = new MessagePackWriter(_scratch.Payload);
        if (!reader.TryOpenObject(out int left))
        {
            _errors.Add("Must be an object of settings.");
            reader.Skip();
            return;
        }

        ReadSettings(ref reader, writer, ref left);
        _scratch.Command.Clear();
        PutQueueCommand.Write(new MessagePackWriter(_scratch.Command), default, _queue, _replaceAll, _scratch.Payload.WrittenSpan);
        if (_scratch.Payload.Length > JobLimits.MaxSettingsBytes) _errors.Add("The settings are too large.");
    }

    private void ReadSettings(scoped ref ValueReader reader, MessagePackWriter writer, ref int left)
    {
        int header = OpenMap(writer);
        int count = 0;
        ulong seen = 0;
        while (Names.Next(ref reader, ref left, ref seen, _errors, out int field))
        {
            string name = Names.NameOf(field);
            if (field > 2)
            {
                FieldReading.NotYet(ref reader, _errors, name);
                continue;
            }

            count++;
            writer.WriteString(name);
            if (reader.TryTakeNull()) writer.WriteNil();
            else if (field == 0) ReadDefaults(ref reader, writer);
            else if (field == 1) ReadUniqueBy(ref reader, writer);
            else WriteInteger(writer, FieldReading.Integer(ref reader, _errors, name, 0, MaxKeepFinished));
        }

        MessagePackPatching.SetCount(_scratch.Payload, header, count);
    }

    private void ReadDefaults(scoped ref ValueReader reader, MessagePackWriter writer)
    {
        if (!reader.TryOpenObject(out int left))
        {
            FieldReading.Refuse(ref reader, _errors, "defaults", "Must be an object of job fields.");
            return;
        }

        int header = OpenMap(writer);
        int count = 0;
        ulong seen = 0;
        _errors.Enter("defaults");
        while (DefaultNames.Next(ref reader, ref left, ref seen, _errors, out int field))
        {
            string name = DefaultNames.NameOf(field);
            if (name is "group" or "timeoutMs" or "onDependencyFailure")
            {
                FieldReading.NotYet(ref reader, _errors, name);
                continue;
            }

            count++;
            writer.WriteString(name);
            if (reader.TryTakeNull()) writer.WriteNil();
            else ReadDefault(ref reader, writer, name);
        }

        _errors.Leave();
        MessagePackPatching.SetCount(_scratch.Payload, header, count);
    }

    private void ReadDefault(scoped ref ValueReader reader, MessagePackWriter writer, string name)
    {
        switch (name)
        {
            case "retry":
                ReadRetry(ref reader, writer);
                break;
            case "leaseMs":
                WriteInteger(writer, FieldReading.Integer(ref reader, _errors, name, _limits.MinLeaseMs, _limits.MaxLeaseMs));
                break;
            default:
                ReadJobField(ref reader, writer, name);
                break;
        }
    }

    /// <summary>A default that is a job's field keeps to that field's rules.</summary>
    private void ReadJobField(scoped ref ValueReader reader, MessagePackWriter writer, string name)
    {
        var parser = new JobParser(_limits, _scratch, default);
        var job = new JobSpec();
        _scratch.Tags.Clear();
        _scratch.Headers.Clear();
        parser.ReadField(ref reader, ref job, JobParser.Names.Find(System.Text.Encoding.ASCII.GetBytes(name)));
        switch (name)
        {
            case "type": writer.WriteString(job.Type); break;
            case "contentType": writer.WriteString(job.ContentType); break;
            case "tags": writer.WriteRaw(job.Tags); break;
            case "headers": writer.WriteRaw(job.Headers); break;
            case "priority": WriteInteger(writer, job.Priority); break;
            case "delayMs": WriteInteger(writer, job.DelayMs); break;
            case "maxAttempts": WriteInteger(writer, job.MaxAttempts); break;
            case "expireAfterMs": WriteInteger(writer, job.ExpireAfterMs); break;
            case "keepMs": WriteInteger(writer, job.KeepMs); break;
            default: WriteInteger(writer, job.KeepDeadMs); break;
        }
    }

    private void ReadRetry(scoped ref ValueReader reader, MessagePackWriter writer)
    {
        if (!reader.TryOpenObject(out int left))
        {
            FieldReading.Refuse(ref reader, _errors, "retry", $"Must be an object with {RetryNames}.");
            return;
        }

        int header = OpenMap(writer);
        int count = 0;
        ulong seen = 0;
        _errors.Enter("retry");
        for (; RetryNames.Next(ref reader, ref left, ref seen, _errors, out int field); count++)
        {
            string name = RetryNames.NameOf(field);
            writer.WriteString(field == 3 ? "jitterPpm" : name);
            if (reader.TryTakeNull()) writer.WriteNil();
            else if (field == 0) WriteBackoff(writer, FieldReading.Choice(ref reader, _errors, name, Backoffs));
            else if (field == 3) WriteInteger(writer, JobParser.ReadJitter(ref reader, _errors, name));
            else WriteInteger(writer, FieldReading.Duration(ref reader, _errors, name));
        }

        _errors.Leave();
        MessagePackPatching.SetCount(_scratch.Payload, header, count);
    }

    private void ReadUniqueBy(scoped ref ValueReader reader, MessagePackWriter writer)
    {
        if (!reader.TryOpenArray(out int left))
        {
            FieldReading.Refuse(ref reader, _errors, "uniqueBy", "Must be an array of JSON pointers into the payload.");
            return;
        }

        int header = _scratch.Payload.Length;
        writer.WriteArrayHeader(ushort.MaxValue);
        int count = 0;
        _errors.Enter("uniqueBy");
        for (; reader.NextItem(ref left); count++)
        {
            string index = count.ToString(CultureInfo.InvariantCulture);
            if (count >= JobLimits.MaxUniquePointers) reader.Skip();
            else if (reader.Kind == ValueKind.Null) FieldReading.Refuse(ref reader, _errors, index, "Must be a string.");
            else if (FieldReading.TryTakeText(ref reader, _errors, index, out ReadOnlySpan<byte> pointer)) WritePointer(writer, pointer, index);
        }

        _errors.Leave();
        if (count > JobLimits.MaxUniquePointers) _errors.Add("uniqueBy", $"Must be at most {JobLimits.MaxUniquePointers} pointers.");
        MessagePackPatching.SetCount(_scratch.Payload, header, count);
    }

    private void WritePointer(MessagePackWriter writer, ReadOnlySpan<byte> pointer, string index)
    {
        if (pointer.Length > MaxPointerBytes || !IsPointer(pointer))
            _errors.Add(index, $"Must be a JSON pointer as in RFC 6901, such as /customerId, of at most {MaxPointerBytes} bytes.");
        else writer.WriteString(pointer);
    }

    private static bool IsPointer(ReadOnlySpan<byte> pointer)
    {
        if (!pointer.IsEmpty && pointer[0] != '/') return false;
        for (int i = 0; i < pointer.Length; i++)
        {
            if (pointer[i] == '~' && (i + 1 == pointer.Length || pointer[i + 1] is not ((byte)'0' or (byte)'1'))) return false;
        }

        return true;
    }

    private int OpenMap(MessagePackWriter writer)
    {
        int header = _scratch.Payload.Length;
        writer.WriteMapHeader(ushort.MaxValue);
        return header;
    }

    private static void WriteBackoff(MessagePackWriter writer, int? backoff)
    {
        if (backoff is { } given) writer.WriteString(Backoffs.NameOf(given));
        else writer.WriteNil();
    }

    private static void WriteInteger(MessagePackWriter writer, long? value)
    {
        if (value is { } given) writer.WriteInt64(given);
        else writer.WriteNil();
    }
}
