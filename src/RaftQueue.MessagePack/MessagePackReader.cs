using System.Buffers.Binary;
using System.Text.Unicode;

namespace RaftQueue.MessagePack;

/// <summary>
/// Reads MessagePack values from a span that nobody vouches for. Every method returns false when the next value is of another
/// type, out of range, truncated or no MessagePack at all, and then has not moved. No method throws, allocates (except
/// <see cref="TryReadText"/>) or looks beyond the span; the cost is linear in the bytes passed over. All encodings of a value
/// are accepted, not only the smallest.
/// </summary>
public ref partial struct MessagePackReader
{
    /// <summary>Arrays and maps nested deeper than this are not skipped: <see cref="TrySkip"/> returns false.</summary>
    public const int MaxDepth = 64;

    private readonly ReadOnlySpan<byte> _data;
    private int _position;

    public MessagePackReader(ReadOnlySpan<byte> data)
    {
        _data = data;
        _position = 0;
    }

    /// <summary>Bytes passed over so far.</summary>
    public readonly int Position => _position;

    /// <summary>Bytes from here to the end.</summary>
    public readonly int Remaining => _data.Length - _position;

    public readonly bool IsAtEnd => _position == _data.Length;

    /// <summary>What stands next; the value itself may still turn out truncated.</summary>
    public readonly MessagePackType NextType => IsAtEnd ? MessagePackType.End : TypeOf(_data[_position]);

    /// <summary>Passes over a nil if one stands next.</summary>
    public bool TryReadNil()
    {
        if (IsAtEnd || _data[_position] != MessagePackCode.Nil) return false;
        _position++;
        return true;
    }

    public bool TryReadBool(out bool value)
    {
        value = false;
        if (IsAtEnd || (_data[_position] & 0xfe) != MessagePackCode.False) return false;
        value = _data[_position++] == MessagePackCode.True;
        return true;
    }

    /// <summary>False also for an integer above <see cref="long.MaxValue"/>.</summary>
    public bool TryReadInt64(out long value)
    {
        if (TryPeekInteger(out ulong bits, out bool negative, out int size) && (negative || bits <= long.MaxValue))
        {
            value = unchecked((long)bits);
            _position += size;
            return true;
        }

        value = 0;
        return false;
    }

    /// <summary>False also for a negative integer.</summary>
    public bool TryReadUInt64(out ulong value)
    {
        if (TryPeekInteger(out value, out bool negative, out int size) && !negative)
        {
            _position += size;
            return true;
        }

        value = 0;
        return false;
    }

    /// <summary>False also for an integer that does not fit.</summary>
    public bool TryReadInt32(out int value)
    {
        int start = _position;
        if (TryReadInt64(out long wide) && wide is >= int.MinValue and <= int.MaxValue)
        {
            value = (int)wide;
            return true;
        }

        _position = start;
        value = 0;
        return false;
    }

    /// <summary>A float of either size. Integers are not converted.</summary>
    public bool TryReadDouble(out double value)
    {
        value = 0;
        if (IsAtEnd) return false;
        ReadOnlySpan<byte> rest = _data[_position..];
        switch (rest[0])
        {
            case MessagePackCode.Float32 when rest.Length >= 5:
                value = BinaryPrimitives.ReadSingleBigEndian(rest[1..]);
                _position += 5;
                return true;
            case MessagePackCode.Float64 when rest.Length >= 9:
                value = BinaryPrimitives.ReadDoubleBigEndian(rest[1..]);
                _position += 9;
                return true;
            default:
                return false;
        }
    }

    /// <summary>The bytes of a string, a part of the span that is read; not checked to be UTF-8.</summary>
    public bool TryReadString(out ReadOnlySpan<byte> utf8)
    {
        utf8 = default;
        return NextType == MessagePackType.String && TryTakeContent(out utf8);
    }

    /// <summary>A string as text. Allocates. False for a string that is not valid UTF-8.</summary>
    public bool TryReadText(out string? text)
    {
        int start = _position;
        text = null;
        if (!TryReadString(out ReadOnlySpan<byte> utf8)) return false;
        if (!Utf8.IsValid(utf8))
        {
            _position = start;
            return false;
        }

        text = System.Text.Encoding.UTF8.GetString(utf8);
        return true;
    }

    /// <summary>The bytes of a binary, a part of the span that is read.</summary>
    public bool TryReadBinary(out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        return NextType == MessagePackType.Binary && TryTakeContent(out bytes);
    }

    /// <summary>The number of values that follow; never more than there are bytes left.</summary>
    public bool TryReadArrayHeader(out int count)
    {
        count = 0;
        if (NextType != MessagePackType.Array || !TryPeekHeader(out int size, out _, out long children)) return false;
        _position += size;
        count = (int)children;
        return true;
    }

    /// <summary>The number of pairs that follow; never more than half the bytes left.</summary>
    public bool TryReadMapHeader(out int count)
    {
        count = 0;
        if (NextType != MessagePackType.Map || !TryPeekHeader(out int size, out _, out long children)) return false;
        _position += size;
        count = (int)(children / 2);
        return true;
    }

    /// <summary>The whole next value, whatever it is, as the bytes that encode it. Same bound on depth as <see cref="TrySkip"/>.</summary>
    public bool TryReadRaw(out ReadOnlySpan<byte> encoded)
    {
        int start = _position;
        bool taken = TrySkip();
        encoded = _data[start.._position];
        return taken;
    }

    /// <summary>Passes over the next value with everything in it. False when it is nested deeper than <see cref="MaxDepth"/>.</summary>
    public bool TrySkip()
    {
        if (!TryPeekHeader(out int size, out int content, out long children)) return false;
        if (children > 0) return TrySkipNested();
        _position += size + content;
        return true;
    }

    private bool TrySkipNested()
    {
        Span<long> open = stackalloc long[MaxDepth];
        int start = _position;
        int depth = 0;
        do
        {
            if (!TryPeekHeader(out int size, out int content, out long children)) break;
            _position += size + content;
            if (depth > 0) open[depth - 1]--;
            if (children > 0)
            {
                if (depth == MaxDepth) break;
                open[depth++] = children;
            }

            while (depth > 0 && open[depth - 1] == 0) depth--;
            if (depth == 0) return true;
        }
        while (true);
        _position = start;
        return false;
    }

    private bool TryTakeContent(out ReadOnlySpan<byte> content)
    {
        if (!TryPeekHeader(out int size, out int length, out _))
        {
            content = default;
            return false;
        }

        content = _data.Slice(_position + size, length);
        _position += size + length;
        return true;
    }
}
