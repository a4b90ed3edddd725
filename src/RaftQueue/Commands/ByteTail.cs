using System.Text;

namespace RaftQueue.Commands;

/// <summary>Keeps the last bytes of a stream.</summary>
internal sealed class ByteTail(int size)
{
    private readonly byte[] _ring = new byte[size];
    private long _written;

    public void Add(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > size) bytes = bytes[^size..];
        int at = (int)(_written % size);
        int first = Math.Min(bytes.Length, size - at);
        bytes[..first].CopyTo(_ring.AsSpan(at));
        bytes[first..].CopyTo(_ring);
        _written += bytes.Length;
    }

    public byte[] ToArray()
    {
        if (_written <= size) return _ring[..(int)_written];
        int at = (int)(_written % size);
        return [.. _ring[at..], .. _ring[..at]];
    }

    /// <summary>Text of bytes whose first character may have been cut in two.</summary>
    public static string Text(ReadOnlySpan<byte> bytes)
    {
        int start = 0;
        while (start < Math.Min(3, bytes.Length) && (bytes[start] & 0xC0) == 0x80) start++;
        return Encoding.UTF8.GetString(bytes[start..]);
    }
}
