namespace RaftQueue.Jobs;

/// <summary>Digits of RFC 4648 "base32hex", lower case: their order is the order of the numbers they stand for.</summary>
internal static class Base32Hex
{
    private const string Digits = "0123456789abcdefghijklmnopqrstuv";

    /// <summary>Writes <paramref name="value"/> big-endian into all of <paramref name="destination"/>, zeros in front.</summary>
    public static void Write(UInt128 value, Span<byte> destination)
    {
        for (int i = destination.Length - 1; i >= 0; i--)
        {
            destination[i] = (byte)Digits[(int)(value & 31)];
            value >>= 5;
        }
    }

    /// <summary>How many digits <paramref name="value"/> has without leading zeros; one for zero.</summary>
    public static int DigitCount(ulong value)
    {
        int bits = 64 - System.Numerics.BitOperations.LeadingZeroCount(value | 1);
        return (bits + 4) / 5;
    }

    /// <summary>False for any other character and for more than 128 bits.</summary>
    public static bool TryRead(ReadOnlySpan<byte> digits, out UInt128 value)
    {
        value = 0;
        foreach (byte digit in digits)
        {
            int number = NumberOf(digit);
            if (number < 0 || value >> 123 != 0) return false;
            value = (value << 5) | (uint)number;
        }

        return !digits.IsEmpty;
    }

    private static int NumberOf(byte digit) => digit switch
    {
        >= (byte)'0' and <= (byte)'9' => digit - '0',
        >= (byte)'a' and <= (byte)'v' => digit - 'a' + 10,
        _ => -1,
    };
}
