using System.Buffers.Binary;

namespace RaftQueue.MessagePack;

/// <summary>The part that knows first bytes and lengths.</summary>
public ref partial struct MessagePackReader
{
    private static MessagePackType TypeOf(byte code) => code switch
    {
        <= MessagePackCode.PositiveFixIntMax or >= MessagePackCode.NegativeFixInt => MessagePackType.Integer,
        < MessagePackCode.FixArray => MessagePackType.Map,
        < MessagePackCode.FixString => MessagePackType.Array,
        < MessagePackCode.Nil => MessagePackType.String,
        MessagePackCode.Nil => MessagePackType.Nil,
        MessagePackCode.NeverUsed => MessagePackType.Invalid,
        <= MessagePackCode.True => MessagePackType.Bool,
        <= MessagePackCode.Binary32 => MessagePackType.Binary,
        <= MessagePackCode.Extension32 => MessagePackType.Extension,
        <= MessagePackCode.Float64 => MessagePackType.Float,
        <= MessagePackCode.Int64 => MessagePackType.Integer,
        <= MessagePackCode.FixExtension16 => MessagePackType.Extension,
        <= MessagePackCode.String32 => MessagePackType.String,
        <= MessagePackCode.Array32 => MessagePackType.Array,
        _ => MessagePackType.Map,
    };

    private readonly bool TryPeekInteger(out ulong bits, out bool negative, out int size)
    {
        bits = 0;
        negative = false;
        size = 1;
        ReadOnlySpan<byte> rest = _data[_position..];
        if (rest.IsEmpty) return false;
        byte code = rest[0];
        if (code is <= MessagePackCode.PositiveFixIntMax or >= MessagePackCode.NegativeFixInt)
        {
            negative = code >= MessagePackCode.NegativeFixInt;
            bits = unchecked((ulong)(sbyte)code);
            return true;
        }

        if (code is < MessagePackCode.UInt8 or > MessagePackCode.Int64) return false;
        int width = 1 << ((code - MessagePackCode.UInt8) & 3);
        if (width > rest.Length - 1) return false;
        size = 1 + width;
        ReadOnlySpan<byte> digits = rest.Slice(1, width);
        bool signed = code >= MessagePackCode.Int8;
        bits = width switch
        {
            1 => signed ? unchecked((ulong)(sbyte)digits[0]) : digits[0],
            2 => signed ? unchecked((ulong)BinaryPrimitives.ReadInt16BigEndian(digits)) : BinaryPrimitives.ReadUInt16BigEndian(digits),
            4 => signed ? unchecked((ulong)BinaryPrimitives.ReadInt32BigEndian(digits)) : BinaryPrimitives.ReadUInt32BigEndian(digits),
            _ => BinaryPrimitives.ReadUInt64BigEndian(digits),
        };
        negative = signed && (long)bits < 0;
        return true;
    }

    /// <summary>
    /// Measures the next value: bytes of its header, bytes of content that follow in one piece, and values nested in it (a map's
    /// pairs count twice). True only if the content is all there and there is at least a byte for every nested value.
    /// </summary>
    private readonly bool TryPeekHeader(out int size, out int content, out long children)
    {
        size = 1;
        content = 0;
        children = 0;
        ReadOnlySpan<byte> rest = _data[_position..];
        if (rest.IsEmpty) return false;
        byte code = rest[0];
        long bytes = 0;
        switch (TypeOf(code))
        {
            case MessagePackType.Nil or MessagePackType.Bool:
                return true;
            case MessagePackType.Integer:
                bytes = code is >= MessagePackCode.UInt8 and <= MessagePackCode.Int64 ? 1 << ((code - MessagePackCode.UInt8) & 3) : 0;
                break;
            case MessagePackType.Float:
                bytes = code == MessagePackCode.Float32 ? 4 : 8;
                break;
            case MessagePackType.String when code < MessagePackCode.Nil:
                bytes = code & 0x1f;
                break;
            case MessagePackType.String:
                if (!TryPeekLength(rest, code - MessagePackCode.String8, out bytes, out size)) return false;
                break;
            case MessagePackType.Binary:
                if (!TryPeekLength(rest, code - MessagePackCode.Binary8, out bytes, out size)) return false;
                break;
            case MessagePackType.Extension when code >= MessagePackCode.FixExtension1:
                bytes = 1 + (1 << (code - MessagePackCode.FixExtension1));
                break;
            case MessagePackType.Extension:
                if (!TryPeekLength(rest, code - MessagePackCode.Extension8, out bytes, out size)) return false;
                bytes++;
                break;
            case MessagePackType.Array when code < MessagePackCode.FixString:
                children = code & 0xf;
                break;
            case MessagePackType.Array:
                if (!TryPeekLength(rest, code - MessagePackCode.Array16 + 1, out children, out size)) return false;
                break;
            case MessagePackType.Map when code < MessagePackCode.FixArray:
                children = 2 * (code & 0xf);
                break;
            case MessagePackType.Map:
                if (!TryPeekLength(rest, code - MessagePackCode.Map16 + 1, out children, out size)) return false;
                children *= 2;
                break;
            default:
                return false;
        }

        if (bytes + children > rest.Length - size) return false;
        content = (int)bytes;
        return true;
    }

    /// <summary>The length behind the first byte: one, two or four bytes for width class 0, 1 or 2.</summary>
    private static bool TryPeekLength(ReadOnlySpan<byte> rest, int widthClass, out long length, out int size)
    {
        size = 1 + (1 << widthClass);
        length = 0;
        if (rest.Length < size) return false;
        length = widthClass switch
        {
            0 => rest[1],
            1 => BinaryPrimitives.ReadUInt16BigEndian(rest[1..]),
            _ => BinaryPrimitives.ReadUInt32BigEndian(rest[1..]),
        };
        return true;
    }
}
