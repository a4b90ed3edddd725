using System.Buffers;

namespace RaftQueue.MessagePack;

/// <summary>
/// A growing buffer on arrays of <see cref="ArrayPool{T}.Shared"/>, those over 1 MiB aside, made to be reused: <see cref="Clear"/> keeps
/// the array.
/// One owner at a time, not thread-safe. Spans and memories taken from it are valid until the next write,
/// <see cref="Clear"/> or <see cref="Dispose"/>.
/// </summary>
public sealed class PooledBuffer : IBufferWriter<byte>, IDisposable
{
    /// <summary>The bound of a buffer that was given none: 64 MiB.</summary>
    public const int DefaultMaxBytes = 64 * 1024 * 1024;

    private const int SmallestArray = 256;

    /// <summary>
    /// Larger arrays are made anew and left to the collector: the shared pool keeps dozens of each size for every core, which for
    /// these would be gigabytes after one burst of the largest bodies.
    /// </summary>
    private const int LargestPooledArray = 1024 * 1024;

    private byte[] _array;
    private int _length;
    private bool _disposed;

    /// <param name="initialBytes">Room before the first growth.</param>
    /// <param name="maxBytes">Bound on <see cref="Length"/>.</param>
    public PooledBuffer(int initialBytes = 4096, int maxBytes = DefaultMaxBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(initialBytes);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxBytes, 1);
        MaxBytes = maxBytes;
        _array = Rent(Math.Clamp(initialBytes, SmallestArray, Math.Max(SmallestArray, maxBytes)));
    }

    /// <summary>Bound on <see cref="Length"/>; a write beyond it throws, so callers ask <see cref="HasRoomFor"/> first.</summary>
    public int MaxBytes { get; }

    /// <summary>Bytes written.</summary>
    public int Length => _length;

    public ReadOnlySpan<byte> WrittenSpan => _array.AsSpan(0, _length);

    public ReadOnlyMemory<byte> WrittenMemory => _array.AsMemory(0, _length);

    /// <summary>Whether <paramref name="bytes"/> more stay within <see cref="MaxBytes"/>.</summary>
    public bool HasRoomFor(int bytes) => bytes <= MaxBytes - _length;

    /// <summary>Forgets what was written and keeps the array.</summary>
    public void Clear() => _length = 0;

    /// <summary>Takes back everything behind <paramref name="length"/>, which is at most <see cref="Length"/>.</summary>
    public void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, _length);
        _length = length;
    }

    /// <summary>Written bytes, to be filled in afterwards (a length in front of what it counts).</summary>
    public Span<byte> Patch(int offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)offset + length, _length, nameof(length));
        return _array.AsSpan(offset, length);
    }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(GetSpan(bytes.Length));
        _length += bytes.Length;
    }

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (count > Math.Min(_array.Length, MaxBytes) - _length)
            throw new InvalidOperationException("More was written than there was room for.");
        _length += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        EnsureRoom(sizeHint);
        return _array.AsMemory(_length);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        EnsureRoom(sizeHint);
        return _array.AsSpan(_length);
    }

    /// <summary>Gives the array back. Idempotent.</summary>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        byte[] array = _array;
        _array = [];
        _length = 0;
        Return(array);
    }

    private void EnsureRoom(int sizeHint)
    {
        int wanted = Math.Max(sizeHint, 1);
        if (wanted > _array.Length - _length || wanted > MaxBytes - _length) Grow(wanted, sizeHint);
    }

    private void Grow(int wanted, int sizeHint)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        if (sizeHint > MaxBytes - _length)
            throw new InvalidOperationException($"The buffer is full: {_length} + {sizeHint} bytes, at most {MaxBytes}.");
        if (wanted <= _array.Length - _length) return;
        long size = Math.Max((long)_length + wanted, Math.Min(2L * _array.Length, MaxBytes));
        byte[] grown = Rent((int)size);
        _array.AsSpan(0, _length).CopyTo(grown);
        Return(_array);
        _array = grown;
    }

    private static byte[] Rent(int size) =>
        size <= LargestPooledArray ? ArrayPool<byte>.Shared.Rent(size) : GC.AllocateUninitializedArray<byte>(size);

    private static void Return(byte[] array)
    {
        if (array.Length <= LargestPooledArray) ArrayPool<byte>.Shared.Return(array);
    }
}
