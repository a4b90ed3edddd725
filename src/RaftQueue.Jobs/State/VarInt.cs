namespace RaftQueue.Jobs.State;

/// <summary>An unsigned number in as few bytes as it needs: seven bits a byte, lowest first, the highest bit set in all but the last (LEB128).</summary>
internal static class VarInt
{
    /// <summary>Bytes of the largest number.</summary>
    public const int MaxBytes = 10;

    private const ulong More = 0x80;

    /// <summary>Writes the number at <paramref name="at"/>, which moves behind it.</summary>
    public static void Write(Span<byte> bytes, ref int at, ulong value)
    {
        for (; value >= More; value >>= 7) bytes[at++] = (byte)(value | More);
        bytes[at++] = (byte)value;
    }

    /// <summary>Reads the number at <paramref name="at"/>, which moves behind it.</summary>
    public static ulong Read(ReadOnlySpan<byte> bytes, ref int at)
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte next = bytes[at++];
            value |= (next & (More - 1)) << shift;
            if (next < More) return value;
        }
    }
}
