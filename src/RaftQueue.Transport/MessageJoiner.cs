using System.Buffers.Binary;
using RaftQueue.Primitives;

namespace RaftQueue.Transport;

/// <summary>
/// Joins the fragments of one lane of one connection. The first fragment of several starts with the whole message's length
/// (u32, little endian), so that the array is made once; it is at most <see cref="FrameHeader.MaxMessageBytes"/> long.
/// Not thread-safe.
/// </summary>
public sealed class MessageJoiner
{
    /// <summary>Bytes in front of the first of several fragments.</summary>
    public const int LengthPrefix = sizeof(uint);

    private byte[]? _message;
    private int _filled;
    private FrameKind _kind;
    private ShardId _shard;

    /// <summary>
    /// Takes one frame. False when the fragments do not belong together: the connection is to be closed.
    /// <paramref name="message"/> is null while fragments are missing.
    /// </summary>
    public bool TryAdd(in FrameHeader header, byte[] payload, out byte[]? message)
    {
        message = null;
        bool more = (header.Flags & FrameFlags.MoreFollows) != FrameFlags.None;
        if ((header.Flags & FrameFlags.Continues) != FrameFlags.None) return TryContinue(header, payload, more, out message);
        if (_message is not null) return false;
        if (more) return TryStart(header, payload);
        message = payload;
        return true;
    }

    private bool TryStart(in FrameHeader header, byte[] payload)
    {
        if (payload.Length <= LengthPrefix) return false;
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(payload);
        int first = payload.Length - LengthPrefix;
        if (length > FrameHeader.MaxMessageBytes || length <= first) return false;
        _message = GC.AllocateUninitializedArray<byte>((int)length);
        payload.AsSpan(LengthPrefix).CopyTo(_message);
        _filled = first;
        _kind = header.Kind;
        _shard = header.Shard;
        return true;
    }

    private bool TryContinue(in FrameHeader header, byte[] payload, bool more, out byte[]? message)
    {
        message = null;
        if (_message is null || header.Kind != _kind || header.Shard != _shard) return false;
        if (payload.Length == 0 || payload.Length > _message.Length - _filled) return false;
        payload.CopyTo(_message.AsSpan(_filled));
        _filled += payload.Length;
        if (more != _filled < _message.Length) return false;
        if (more) return true;
        message = _message;
        _message = null;
        return true;
    }
}
