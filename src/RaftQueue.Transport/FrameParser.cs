using System.Buffers;
using RaftQueue.Primitives;

namespace RaftQueue.Transport;

/// <summary>
/// Cuts a stream of bytes into frames without doing the reading: the owner fills <see cref="NextBuffer"/>, says how much with
/// <see cref="Advance"/> and takes frames with <see cref="Take"/> until it wants more. Holds at most one small buffer and one
/// payload. Large payloads are read straight into their own array. Once damaged it stays damaged. Not thread-safe.
/// </summary>
public sealed class FrameParser : IDisposable
{
    private const int BufferBytesBeforeHandshake = FrameHeader.Size + FrameHeader.MaxPayloadBytesBeforeHandshake;
    private const int BufferBytes = 64 * 1024;
    private readonly byte[] _headerBytes = new byte[FrameHeader.Size];
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(BufferBytesBeforeHandshake);
    private int _start;
    private int _end;
    private int _maxPayload = FrameHeader.MaxPayloadBytesBeforeHandshake;
    private FrameHeader _header;
    private byte[]? _payload;
    private int _filled;

    /// <summary>What <see cref="Take"/> found.</summary>
    public enum Found
    {
        /// <summary>A whole frame with the right checksum.</summary>
        Frame,

        /// <summary>The start of one, or nothing.</summary>
        NeedsMore,

        /// <summary>Bytes that are no frame: see <see cref="Damage"/>. Nothing that follows can be trusted.</summary>
        Damaged,
    }

    /// <summary>Why the stream is damaged, for a log line; null while it is not.</summary>
    public string? Damage { get; private set; }

    /// <summary>From now on payloads up to <see cref="FrameHeader.MaxPayloadBytes"/> are taken. What is buffered stays.</summary>
    public void HandshakeIsComplete()
    {
        _maxPayload = FrameHeader.MaxPayloadBytes;
        byte[] larger = ArrayPool<byte>.Shared.Rent(BufferBytes);
        _buffer.AsSpan(_start, _end - _start).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
        _end -= _start;
        _start = 0;
    }

    /// <summary>Where the next bytes of the stream go; never empty after <see cref="Take"/> wanted more.</summary>
    public Memory<byte> NextBuffer()
    {
        if (_payload is not null) return _payload.AsMemory(_filled);
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        return _buffer.AsMemory(_end);
    }

    /// <summary><paramref name="count"/> bytes were put into <see cref="NextBuffer"/>.</summary>
    public void Advance(int count)
    {
        if (_payload is not null) _filled += count;
        else _end += count;
        Invariant.That(_end <= _buffer.Length && (_payload is null || _filled <= _payload.Length), "no more is read than there is room for");
    }

    /// <summary>Takes the next frame. <paramref name="payload"/> is a new array that the caller owns.</summary>
    public Found Take(out FrameHeader header, out byte[] payload)
    {
        header = default;
        payload = [];
        if (Damage is not null) return Found.Damaged;
        if (_payload is null && !TryStart()) return Damage is null ? Found.NeedsMore : Found.Damaged;
        if (_filled < _payload!.Length) return Found.NeedsMore;
        if (!FrameHeader.ChecksumHolds(_headerBytes, _payload))
        {
            Damage = "a frame's checksum does not hold";
            return Found.Damaged;
        }

        header = _header;
        payload = _payload;
        _payload = null;
        return Found.Frame;
    }

    /// <summary>Gives the buffer back. Idempotent.</summary>
    public void Dispose()
    {
        byte[] buffer = _buffer;
        _buffer = [];
        _start = _end = 0;
        Damage ??= "closed";
        if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
    }

    private bool TryStart()
    {
        ReadOnlySpan<byte> bytes = _buffer.AsSpan(_start, _end - _start);
        if (bytes.Length < FrameHeader.Size) return false;
        if (!FrameHeader.TryRead(bytes, out _header))
        {
            Damage = "bytes that are no frame";
            return false;
        }

        if (_header.Length > _maxPayload)
        {
            Damage = $"a frame of {_header.Length} bytes where {_maxPayload} are allowed";
            return false;
        }

        bytes[..FrameHeader.Size].CopyTo(_headerBytes);
        _filled = Math.Min(_header.Length, bytes.Length - FrameHeader.Size);
        _payload = _header.Length == 0 ? [] : GC.AllocateUninitializedArray<byte>(_header.Length);
        bytes.Slice(FrameHeader.Size, _filled).CopyTo(_payload);
        _start += FrameHeader.Size + _filled;
        return true;
    }
}
