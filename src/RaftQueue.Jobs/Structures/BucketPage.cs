using System.Runtime.InteropServices;
using RaftQueue.Pages;

namespace RaftQueue.Jobs.Structures;

/// <summary>
/// A page of a <see cref="HashIndex"/> bucket: entries in use (2 bytes), 2 zeros, the bucket's next page (4), 408 hashes (4 each),
/// 408 values (6 each), 8 zeros. What is not in use is zero.
/// </summary>
internal readonly ref struct BucketPage(Span<byte> bytes)
{
    public const int Capacity = (PageStore.PageSize - Hashes) / (sizeof(uint) + ValueBytes);

    private const int CountField = 0;
    private const int NextField = 4;
    private const int Hashes = 8;
    private const int Values = Hashes + Capacity * sizeof(uint);
    private const int ValueBytes = 6;

    private readonly Span<byte> _bytes = bytes;

    public int Count => _bytes.GetUInt16(CountField);

    public uint Next => _bytes.GetUInt32(NextField);

    public void SetNext(uint page) => _bytes.SetUInt32(NextField, page);

    public uint Hash(int index) => _bytes.GetUInt32(Hashes + index * sizeof(uint));

    public long Value(int index)
    {
        int offset = Values + index * ValueBytes;
        return _bytes.GetUInt32(offset) | ((long)_bytes.GetUInt16(offset + sizeof(uint)) << 32);
    }

    /// <summary>The first place at or after <paramref name="from"/> with this hash, or -1.</summary>
    public int IndexOf(uint hash, int from)
    {
        ReadOnlySpan<uint> hashes = MemoryMarshal.Cast<byte, uint>(_bytes.Slice(Hashes, Count * sizeof(uint)))[from..];
        int index = hashes.IndexOf(BitConverter.IsLittleEndian ? hash : System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(hash));
        return index < 0 ? -1 : from + index;
    }

    /// <summary>The first place with this hash and value, or -1.</summary>
    public int IndexOf(uint hash, long value)
    {
        for (int index = IndexOf(hash, 0); index >= 0; index = IndexOf(hash, index + 1))
            if (Value(index) == value) return index;
        return -1;
    }

    public void Add(uint hash, long value)
    {
        int count = Count;
        Set(count, hash, value);
        _bytes.SetUInt16(CountField, (ushort)(count + 1));
    }

    public void Set(int index, uint hash, long value)
    {
        _bytes.SetUInt32(Hashes + index * sizeof(uint), hash);
        int offset = Values + index * ValueBytes;
        _bytes.SetUInt32(offset, (uint)value);
        _bytes.SetUInt16(offset + sizeof(uint), (ushort)(value >> 32));
    }

    public void RemoveLast()
    {
        int last = Count - 1;
        Set(last, 0, 0);
        _bytes.SetUInt16(CountField, (ushort)last);
    }
}
