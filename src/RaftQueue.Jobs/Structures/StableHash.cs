using System.Buffers.Binary;
using System.Numerics;

namespace RaftQueue.Jobs.Structures;

/// <summary>
/// A hash that is the same on every machine and for ever: SipHash-1-3 (Aumasson and Bernstein, 2012, with one and three
/// rounds). It is part of the state's format.
/// </summary>
public static class StableHash
{
    private const ulong Key0 = 0x7261667471756575;
    private const ulong Key1 = 0x65736C6F74730001;

    /// <summary>Under a fixed, public key: for what users cannot choose in numbers that matter.</summary>
    public static ulong Hash64(ReadOnlySpan<byte> data) => Hash64(data, Key0, Key1);

    /// <summary>Under a key that is replicated state: who does not know it cannot make collisions.</summary>
    public static ulong Hash64(ReadOnlySpan<byte> data, ulong key0, ulong key1)
    {
        ulong a = key0 ^ 0x736F6D6570736575;
        ulong b = key1 ^ 0x646F72616E646F6D;
        ulong c = key0 ^ 0x6C7967656E657261;
        ulong d = key1 ^ 0x7465646279746573;
        ulong last = (ulong)data.Length << 56;
        while (data.Length >= sizeof(ulong))
        {
            ulong word = BinaryPrimitives.ReadUInt64LittleEndian(data);
            d ^= word;
            Round(ref a, ref b, ref c, ref d);
            a ^= word;
            data = data[sizeof(ulong)..];
        }

        for (int i = 0; i < data.Length; i++) last |= (ulong)data[i] << (8 * i);
        d ^= last;
        Round(ref a, ref b, ref c, ref d);
        a ^= last;
        c ^= 0xFF;
        Round(ref a, ref b, ref c, ref d);
        Round(ref a, ref b, ref c, ref d);
        Round(ref a, ref b, ref c, ref d);
        return a ^ b ^ c ^ d;
    }

    private static void Round(ref ulong a, ref ulong b, ref ulong c, ref ulong d)
    {
        a += b;
        b = BitOperations.RotateLeft(b, 13) ^ a;
        a = BitOperations.RotateLeft(a, 32);
        c += d;
        d = BitOperations.RotateLeft(d, 16) ^ c;
        a += d;
        d = BitOperations.RotateLeft(d, 21) ^ a;
        c += b;
        b = BitOperations.RotateLeft(b, 17) ^ c;
        c = BitOperations.RotateLeft(c, 32);
    }
}
