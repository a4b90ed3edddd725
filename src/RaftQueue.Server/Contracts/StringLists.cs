using System.Text;
using RaftQueue.MessagePack;

namespace RaftQueue.Server.Contracts;

/// <summary>Reads a job's tags and headers into their encoded form, in the scratch buffers of one request.</summary>
internal sealed class StringLists(RequestLimits limits, RequestScratch scratch, ReadOnlyMemory<byte> traceParent)
{
    private readonly RequestErrors _errors = scratch.Errors;

    private static ReadOnlySpan<byte> TraceParentName => "traceparent"u8;

    /// <summary>Empty when there are none; otherwise an encoded array of strings.</summary>
    public ReadOnlySpan<byte> ReadTags(scoped ref ValueReader reader)
    {
        if (reader.TryTakeNull()) return default;
        if (!reader.TryOpenArray(out int left))
        {
            FieldReading.Refuse(ref reader, _errors, "tags", "Must be an array of strings.");
            return default;
        }

        var writer = new MessagePackWriter(scratch.Tags);
        writer.WriteArrayHeader(ushort.MaxValue);
        int count = 0;
        _errors.Enter("tags");
        for (; reader.NextItem(ref left); count++)
        {
            if (count < limits.Tags) ReadTag(ref reader, writer, count);
            else reader.Skip();
        }

        _errors.Leave();
        if (count > limits.Tags) _errors.Add("tags", $"Must be at most {limits.Tags} tags, and are {count}.");
        MessagePackPatching.SetCount(scratch.Tags, 0, count);
        return scratch.Tags.WrittenSpan;
    }

    /// <summary>Empty when there are none; otherwise an encoded map, with the request's trace context when it has none of its own.</summary>
    public ReadOnlySpan<byte> ReadHeaders(scoped ref ValueReader reader)
    {
        if (reader.TryTakeNull()) return default;
        if (!reader.TryOpenObject(out int left))
        {
            FieldReading.Refuse(ref reader, _errors, "headers", "Must be an object of strings.");
            return default;
        }

        var writer = new MessagePackWriter(scratch.Headers);
        writer.WriteMapHeader(ushort.MaxValue);
        int count = 0;
        int bytes = 0;
        bool traced = traceParent.IsEmpty;
        _errors.Enter("headers");
        while (reader.NextMember(ref left, out ReadOnlySpan<byte> name))
        {
            traced |= Ascii.EqualsIgnoreCase(name, TraceParentName);
            if (count < limits.Headers) bytes += ReadHeader(ref reader, writer, name, count);
            else reader.Skip();
            count++;
        }

        _errors.Leave();
        if (count > limits.Headers) _errors.Add("headers", $"Must be at most {limits.Headers} headers, and are {count}.");
        if (bytes > limits.HeaderBytes) _errors.Add("headers", $"Must be at most {limits.HeaderBytes} bytes in all, and are {bytes}.");
        if (!traced && count < limits.Headers) AddTraceParent(writer, ref count);
        MessagePackPatching.SetCount(scratch.Headers, 0, count);
        return scratch.Headers.WrittenSpan;
    }

    /// <summary>Headers for a job that brought none: the request's trace context, or none.</summary>
    public ReadOnlySpan<byte> TraceHeadersAlone()
    {
        if (traceParent.IsEmpty) return default;
        scratch.Headers.Clear();
        var writer = new MessagePackWriter(scratch.Headers);
        int count = 0;
        writer.WriteMapHeader(1);
        AddTraceParent(writer, ref count);
        return scratch.Headers.WrittenSpan;
    }

    private void ReadTag(scoped ref ValueReader reader, MessagePackWriter writer, int index)
    {
        if (!reader.TryTakeString(out ReadOnlySpan<byte> tag))
        {
            reader.Skip();
            RefuseTag(index, "Must be a string.");
        }
        else if (tag.IsEmpty || tag.Length > limits.TagBytes)
        {
            RefuseTag(index, $"Must be 1 to {limits.TagBytes} bytes of UTF-8.");
        }
        else
        {
            writer.WriteString(tag);
        }
    }

    private void RefuseTag(int index, string detail)
    {
        _errors.Enter(index);
        _errors.Add(detail);
        _errors.Leave();
    }

    private int ReadHeader(scoped ref ValueReader reader, MessagePackWriter writer, scoped ReadOnlySpan<byte> name, int count)
    {
        bool isRepeated = HasHeader(name, count);
        if (reader.TryTakeString(out ReadOnlySpan<byte> value) && !isRepeated && !name.IsEmpty)
        {
            // Beyond what may be kept only the size counts: the buffer stays small whatever the body holds.
            if (scratch.Headers.Length < 4 * limits.HeaderBytes && value.Length <= limits.HeaderBytes)
            {
                writer.WriteString(name);
                writer.WriteString(value);
            }

            return name.Length + value.Length;
        }

        if (value.IsEmpty && reader.Kind != ValueKind.String) reader.Skip();
        string shown = Encoding.UTF8.GetString(TextRules.Cut(name, 128));
        _errors.Add(shown, isRepeated ? "This header is there twice." : name.IsEmpty ? "A header has a name." : "Must be a string.");
        return 0;
    }

    private bool HasHeader(scoped ReadOnlySpan<byte> name, int count)
    {
        var reader = new MessagePackReader(scratch.Headers.WrittenSpan[MessagePackPatching.HeaderBytes..]);
        for (int i = 0; i < count && reader.TryReadString(out ReadOnlySpan<byte> other); i++)
        {
            if (other.SequenceEqual(name)) return true;
            reader.TrySkip();
        }

        return false;
    }

    private void AddTraceParent(MessagePackWriter writer, ref int count)
    {
        writer.WriteString(TraceParentName);
        writer.WriteString(traceParent.Span);
        count++;
    }
}
