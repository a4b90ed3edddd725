using System.Buffers.Binary;
using RaftQueue.Primitives;

namespace RaftQueue.Transport;

/// <summary>
/// What every frame starts with, little endian, <see cref="Size"/> bytes: magic and format u16, kind u8, flags u8, shard u16,
/// reserved u16 (zero), payload length u32, sender incarnation u64, target incarnation u64, CRC32C u32 (of the 28 bytes before
/// it and of the payload).
/// </summary>
public readonly record struct FrameHeader(
    FrameKind Kind, FrameFlags Flags, ShardId Shard, int Length, Incarnation Sender, Incarnation Target)
{
    /// <summary>Bytes of the header.</summary>
    public const int Size = 32;

    /// <summary>No frame is longer, header included.</summary>
    public const int MaxFrameBytes = 256 * 1024;

    /// <summary>No payload of one frame is longer.</summary>
    public const int MaxPayloadBytes = MaxFrameBytes - Size;

    /// <summary>No payload is longer before the handshake is complete.</summary>
    public const int MaxPayloadBytesBeforeHandshake = 4 * 1024;

    /// <summary>No message, joined from its fragments, is longer: one entry of the largest size and what goes with it.</summary>
    public const int MaxMessageBytes = EntryHeader.MaxEntryBytes + (64 * 1024);

    private const ushort Magic = 0x5172; // "rQ"; another format gets another number
    private const int CrcOffset = 28;

    /// <summary>
    /// Writes this header in front of <paramref name="frame"/>, whose payload of <see cref="Length"/> bytes already stands
    /// behind the first <see cref="Size"/> bytes, checksum included.
    /// </summary>
    public void Seal(Span<byte> frame)
    {
        Invariant.That(frame.Length == Size + Length && Length <= MaxPayloadBytes, "a frame's length field tells its size");
        BinaryPrimitives.WriteUInt16LittleEndian(frame, Magic);
        frame[2] = (byte)Kind;
        frame[3] = (byte)Flags;
        BinaryPrimitives.WriteUInt16LittleEndian(frame[4..], Shard.Value);
        BinaryPrimitives.WriteUInt16LittleEndian(frame[6..], 0);
        BinaryPrimitives.WriteInt32LittleEndian(frame[8..], Length);
        BinaryPrimitives.WriteUInt64LittleEndian(frame[12..], Sender.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(frame[20..], Target.Value);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[CrcOffset..], Checksum(frame, frame[Size..]));
    }

    /// <summary>
    /// Reads the header in front of <paramref name="data"/> without looking at the checksum. False for too few bytes and for
    /// what no header can be; a length up to <see cref="MaxPayloadBytes"/> passes.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> data, out FrameHeader header)
    {
        header = default;
        if (data.Length < Size || BinaryPrimitives.ReadUInt16LittleEndian(data) != Magic) return false;
        var kind = (FrameKind)data[2];
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(data[8..]);
        bool possible = IsKnown(kind) && data[3] <= (byte)(FrameFlags.MoreFollows | FrameFlags.Continues | FrameFlags.Urgent)
            && BinaryPrimitives.ReadUInt16LittleEndian(data[6..]) == 0 && length <= MaxPayloadBytes;
        if (!possible) return false;
        header = new FrameHeader(
            kind,
            (FrameFlags)data[3],
            new ShardId(BinaryPrimitives.ReadUInt16LittleEndian(data[4..])),
            (int)length,
            new Incarnation(BinaryPrimitives.ReadUInt64LittleEndian(data[12..])),
            new Incarnation(BinaryPrimitives.ReadUInt64LittleEndian(data[20..])));
        return true;
    }

    /// <summary>Whether the checksum in <paramref name="header"/> is that of the header and <paramref name="payload"/>.</summary>
    public static bool ChecksumHolds(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload) =>
        BinaryPrimitives.ReadUInt32LittleEndian(header[CrcOffset..]) == Checksum(header, payload);

    private static uint Checksum(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload) =>
        Crc32C.Append(Crc32C.Compute(header[..CrcOffset]), payload);

    private static bool IsKnown(FrameKind kind) => kind is >= FrameKind.Hello and <= FrameKind.BootstrapAnswer
        or FrameKind.Raft or FrameKind.Forward or FrameKind.Goodbye
        or >= FrameKind.TransferRequest and <= FrameKind.PageAnswer;
}
