using System.Text.Encodings.Web;
using System.Text.Json;
using RaftQueue.MessagePack;

namespace RaftQueue.Server.Contracts;

/// <summary>
/// Writes a reply's body in either format into a pooled buffer. In an object every value follows its name. Reused; one
/// request's own at a time.
/// </summary>
public sealed class ReplyWriter : IDisposable
{
    private const int MaxDepth = 16;
    private const int KeptBytes = 256 * 1024;
    private readonly Utf8JsonWriter _json;
    private readonly (int Header, int Count, bool IsMap)[] _open = new (int, int, bool)[MaxDepth];
    private PooledBuffer _buffer = new();
    private bool _isPack;
    private int _depth;

    public ReplyWriter()
    {
        _json = new Utf8JsonWriter(_buffer, new JsonWriterOptions
        {
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            SkipValidation = true,
        });
    }

    public BodyFormat Format => _isPack ? BodyFormat.MessagePack : BodyFormat.Json;

    /// <summary>What was written, after <see cref="Finish"/>; good until the next <see cref="Start"/>.</summary>
    public ReadOnlyMemory<byte> Written => _buffer.WrittenMemory;

    private MessagePackWriter Pack => new(_buffer);

    /// <summary>Begins a new reply; the buffer is empty again.</summary>
    public void Start(BodyFormat format)
    {
        _isPack = format == BodyFormat.MessagePack;
        _depth = 0;
        if (_buffer.Length > KeptBytes)
        {
            _buffer.Dispose();
            _buffer = new PooledBuffer();
        }

        _buffer.Clear();
        _json.Reset(_buffer);
    }

    /// <summary>After the last value.</summary>
    public void Finish()
    {
        if (!_isPack) _json.Flush();
    }

    public void BeginObject()
    {
        Count();
        if (_isPack) Open(isMap: true);
        else _json.WriteStartObject();
    }

    public void EndObject()
    {
        if (_isPack) Close();
        else _json.WriteEndObject();
    }

    public void BeginArray()
    {
        Count();
        if (_isPack) Open(isMap: false);
        else _json.WriteStartArray();
    }

    public void EndArray()
    {
        if (_isPack) Close();
        else _json.WriteEndArray();
    }

    public void Name(Word name)
    {
        if (_isPack) Pack.WriteString(name.Utf8.AsSpan());
        else _json.WritePropertyName(name.Json);
    }

    /// <summary>A member of which the name is data.</summary>
    public void Name(ReadOnlySpan<byte> utf8)
    {
        if (_isPack) Pack.WriteString(utf8);
        else _json.WritePropertyName(utf8);
    }

    public void Value(Word word)
    {
        Count();
        if (_isPack) Pack.WriteString(word.Utf8.AsSpan());
        else _json.WriteStringValue(word.Json);
    }

    public void Value(string text)
    {
        Count();
        if (_isPack) Pack.WriteString(text);
        else _json.WriteStringValue(text);
    }

    /// <summary>Text that is valid UTF-8.</summary>
    public void Value(ReadOnlySpan<byte> utf8)
    {
        Count();
        if (_isPack) Pack.WriteString(utf8);
        else _json.WriteStringValue(utf8);
    }

    public void Value(long number)
    {
        Count();
        if (_isPack) Pack.WriteInt64(number);
        else _json.WriteNumberValue(number);
    }

    public void Value(ulong number)
    {
        Count();
        if (_isPack) Pack.WriteUInt64(number);
        else _json.WriteNumberValue(number);
    }

    public void Value(bool truth)
    {
        Count();
        if (_isPack) Pack.WriteBool(truth);
        else _json.WriteBooleanValue(truth);
    }

    public void Null()
    {
        Count();
        if (_isPack) Pack.WriteNil();
        else _json.WriteNullValue();
    }

    /// <summary>Unix milliseconds as an RFC 3339 time.</summary>
    public void Time(long unixMs)
    {
        Span<byte> text = stackalloc byte[Rfc3339.Length];
        Rfc3339.Format(unixMs, text);
        Value(text);
    }

    /// <summary>A decimal of millionths, without trailing zeros.</summary>
    public void Millionths(long millionths)
    {
        Count();
        decimal number = (decimal)millionths / 1_000_000;
        if (!_isPack) _json.WriteNumberValue(number);
        else WriteDouble((double)number);
    }

    /// <summary>JSON text as it is: byte for byte in JSON, a str in MessagePack.</summary>
    public void JsonText(ReadOnlySpan<byte> json)
    {
        Count();
        if (_isPack) Pack.WriteString(json);
        else _json.WriteRawValue(json, skipInputValidation: true);
    }

    /// <summary>Base64 in JSON, a bin in MessagePack.</summary>
    public void Bytes(ReadOnlySpan<byte> bytes)
    {
        Count();
        if (_isPack) Pack.WriteBinary(bytes);
        else _json.WriteBase64StringValue(bytes);
    }

    public void Dispose()
    {
        _json.Dispose();
        _buffer.Dispose();
    }

    private void WriteDouble(double number)
    {
        Span<byte> encoded = stackalloc byte[9];
        encoded[0] = 0xcb;
        System.Buffers.Binary.BinaryPrimitives.WriteDoubleBigEndian(encoded[1..], number);
        Pack.WriteRaw(encoded);
    }

    /// <summary>In a map only values are counted: each stands for its pair.</summary>
    private void Count()
    {
        if (_isPack && _depth > 0) _open[_depth - 1].Count++;
    }

    private void Open(bool isMap)
    {
        _open[_depth++] = (_buffer.Length, 0, isMap);
        if (isMap) Pack.WriteMapHeader(ushort.MaxValue);
        else Pack.WriteArrayHeader(ushort.MaxValue);
    }

    private void Close()
    {
        (int header, int count, _) = _open[--_depth];
        MessagePackPatching.SetCount(_buffer, header, count);
    }
}
