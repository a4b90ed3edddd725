using System.Buffers;

namespace RaftQueue.Transport;

/// <summary>Whole frames one behind the other, as many as fit the size of the largest frame: what one send takes.</summary>
internal sealed class SendChunk
{
    private byte[] _array = ArrayPool<byte>.Shared.Rent(FrameHeader.MaxFrameBytes);

    public int Length { get; private set; }

    public ReadOnlyMemory<byte> Written => _array.AsMemory(0, Length);

    public bool HasRoomFor(int bytes) => bytes <= FrameHeader.MaxFrameBytes - Length;

    public Span<byte> Append(int bytes)
    {
        Span<byte> room = _array.AsSpan(Length, bytes);
        Length += bytes;
        return room;
    }

    public void Clear() => Length = 0;

    public void Release()
    {
        ArrayPool<byte>.Shared.Return(_array);
        _array = [];
        Length = 0;
    }
}
