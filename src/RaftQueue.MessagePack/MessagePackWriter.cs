using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace RaftQueue.MessagePack;

/// <summary>
/// Writes MessagePack values to a buffer, each in its smallest encoding. Nothing is held back: what a call wrote is in the
/// buffer when it returns. It does not count: an array header of n must be followed by n values, a map header by n pairs.
/// </summary>
public readonly ref struct MessagePackWriter
{
    private readonly IBufferWriter<byte> _output;

    public MessagePackWriter(IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        _output = output;
    }

    public void WriteNil() => WriteByte(MessagePackCode.Nil);

    public void WriteBool(bool value) => WriteByte(value ? MessagePackCode.True : MessagePackCode.False);

    public void WriteInt64(long value)
    {
        if (value >= 0) WriteUInt64((ulong)value);
        else WriteNegative(value);
    }

    public void WriteUInt64(ulong value)
    {
        Span<byte> span = _output.GetSpan(9);
        switch (value)
        {
            case <= MessagePackCode.PositiveFixIntMax:
                span[0] = (byte)value;
                _output.Advance(1);
                break;
            case <= byte.MaxValue:
                span[0] = MessagePackCode.UInt8;
                span[1] = (byte)value;
                _output.Advance(2);
                break;
            case <= ushort.MaxValue:
                span[0] = MessagePackCode.UInt16;
                BinaryPrimitives.WriteUInt16BigEndian(span[1..], (ushort)value);
                _output.Advance(3);
                break;
            case <= uint.MaxValue:
                span[0] = MessagePackCode.UInt32;
                BinaryPrimitives.WriteUInt32BigEndian(span[1..], (uint)value);
                _output.Advance(5);
                break;
            default:
                span[0] = MessagePackCode.UInt64;
                BinaryPrimitives.WriteUInt64BigEndian(span[1..], value);
                _output.Advance(9);
                break;
        }
    }

    /// <summary>Writes text that is already UTF-8; it is not validated.</summary>
    public void WriteString(ReadOnlySpan<byte> utf8)
    {
        WriteStringHeader(utf8.Length);
        WriteRaw(utf8);
    }

    /// <summary>Writes text; a lone surrogate becomes U+FFFD.</summary>
    public void WriteString(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int length = Encoding.UTF8.GetByteCount(text);
        WriteStringHeader(length);
        if (length == 0) return;
        Encoding.UTF8.GetBytes(text, _output.GetSpan(length));
        _output.Advance(length);
    }

    public void WriteBinary(ReadOnlySpan<byte> bytes)
    {
        WriteBinaryHeader(bytes.Length);
        WriteRaw(bytes);
    }

    /// <summary>The header of a string of <paramref name="utf8Bytes"/>, which the caller writes with <see cref="WriteRaw"/>.</summary>
    public void WriteStringHeader(int utf8Bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(utf8Bytes);
        if (utf8Bytes <= 31) WriteByte((byte)(MessagePackCode.FixString | utf8Bytes));
        else if (utf8Bytes <= byte.MaxValue) WriteCode8(MessagePackCode.String8, (byte)utf8Bytes);
        else WriteHeader(MessagePackCode.String16, MessagePackCode.String32, utf8Bytes);
    }

    /// <summary>The header of a binary of <paramref name="bytes"/>, which the caller writes with <see cref="WriteRaw"/>.</summary>
    public void WriteBinaryHeader(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        if (bytes <= byte.MaxValue) WriteCode8(MessagePackCode.Binary8, (byte)bytes);
        else WriteHeader(MessagePackCode.Binary16, MessagePackCode.Binary32, bytes);
    }

    /// <summary><paramref name="count"/> values follow.</summary>
    public void WriteArrayHeader(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (count <= 15) WriteByte((byte)(MessagePackCode.FixArray | count));
        else WriteHeader(MessagePackCode.Array16, MessagePackCode.Array32, count);
    }

    /// <summary><paramref name="count"/> pairs of key and value follow.</summary>
    public void WriteMapHeader(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (count <= 15) WriteByte((byte)(MessagePackCode.FixMap | count));
        else WriteHeader(MessagePackCode.Map16, MessagePackCode.Map32, count);
    }

    /// <summary>Bytes as they are: values that are encoded already, or what a header announced.</summary>
    public void WriteRaw(ReadOnlySpan<byte> encoded)
    {
        if (encoded.IsEmpty) return;
        encoded.CopyTo(_output.GetSpan(encoded.Length));
        _output.Advance(encoded.Length);
    }

    private void WriteNegative(long value)
    {
        Span<byte> span = _output.GetSpan(9);
        switch (value)
        {
            case >= -32:
                span[0] = unchecked((byte)value);
                _output.Advance(1);
                break;
            case >= sbyte.MinValue:
                span[0] = MessagePackCode.Int8;
                span[1] = unchecked((byte)value);
                _output.Advance(2);
                break;
            case >= short.MinValue:
                span[0] = MessagePackCode.Int16;
                BinaryPrimitives.WriteInt16BigEndian(span[1..], (short)value);
                _output.Advance(3);
                break;
            case >= int.MinValue:
                span[0] = MessagePackCode.Int32;
                BinaryPrimitives.WriteInt32BigEndian(span[1..], (int)value);
                _output.Advance(5);
                break;
            default:
                span[0] = MessagePackCode.Int64;
                BinaryPrimitives.WriteInt64BigEndian(span[1..], value);
                _output.Advance(9);
                break;
        }
    }

    private void WriteByte(byte value)
    {
        _output.GetSpan(1)[0] = value;
        _output.Advance(1);
    }

    private void WriteCode8(byte code, byte length)
    {
        Span<byte> span = _output.GetSpan(2);
        span[0] = code;
        span[1] = length;
        _output.Advance(2);
    }

    private void WriteHeader(byte code16, byte code32, int length)
    {
        Span<byte> span = _output.GetSpan(5);
        if (length <= ushort.MaxValue)
        {
            span[0] = code16;
            BinaryPrimitives.WriteUInt16BigEndian(span[1..], (ushort)length);
            _output.Advance(3);
        }
        else
        {
            span[0] = code32;
            BinaryPrimitives.WriteInt32BigEndian(span[1..], length);
            _output.Advance(5);
        }
    }
}
