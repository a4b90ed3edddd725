using System.Buffers.Binary;
using RaftQueue.Primitives;

namespace RaftQueue.Storage;

/// <summary>
/// The first 4 KiB of a segment: magic u64, sequence i64, segment bytes i64, previous segment i64, end of the log in it i32,
/// CRC32C u32 of all before. The log is the chain of these links, so a segment's end is known exactly once there is a next
/// one, and whatever stands behind that end is not part of the log.
/// </summary>
internal readonly record struct SegmentHeader(long Sequence, long SegmentBytes, WalPosition Previous)
{
    /// <summary>The header's room; the first batch starts here.</summary>
    public const int Size = WalFormat.BlockBytes;

    private const ulong Magic = 0x3130_4745_5351_5252;
    private const int CrcOffset = 36;

    public static string FileName(long sequence) => $"{sequence:D12}{WalFormat.SegmentSuffix}";

    /// <summary>The sequence number in a file's name, or null when it is not a segment's.</summary>
    public static long? SequenceOf(string name) =>
        name.EndsWith(WalFormat.SegmentSuffix, StringComparison.Ordinal)
        && long.TryParse(name.AsSpan(0, name.Length - WalFormat.SegmentSuffix.Length), out long sequence)
        && sequence > 0
            ? sequence
            : null;

    public byte[] Encode()
    {
        byte[] block = new byte[Size];
        BinaryPrimitives.WriteUInt64LittleEndian(block, Magic);
        BinaryPrimitives.WriteInt64LittleEndian(block.AsSpan(8), Sequence);
        BinaryPrimitives.WriteInt64LittleEndian(block.AsSpan(16), SegmentBytes);
        BinaryPrimitives.WriteInt64LittleEndian(block.AsSpan(24), Previous.Segment);
        BinaryPrimitives.WriteInt32LittleEndian(block.AsSpan(32), Previous.Offset);
        BinaryPrimitives.WriteUInt32LittleEndian(block.AsSpan(CrcOffset), Crc32C.Compute(block.AsSpan(0, CrcOffset)));
        return block;
    }

    public static bool TryRead(ReadOnlySpan<byte> block, out SegmentHeader header)
    {
        header = default;
        if (block.Length < CrcOffset + sizeof(uint)) return false;
        if (BinaryPrimitives.ReadUInt64LittleEndian(block) != Magic) return false;
        if (BinaryPrimitives.ReadUInt32LittleEndian(block[CrcOffset..]) != Crc32C.Compute(block[..CrcOffset])) return false;
        header = new SegmentHeader(
            BinaryPrimitives.ReadInt64LittleEndian(block[8..]),
            BinaryPrimitives.ReadInt64LittleEndian(block[16..]),
            new WalPosition(BinaryPrimitives.ReadInt64LittleEndian(block[24..]), BinaryPrimitives.ReadInt32LittleEndian(block[32..])));
        return true;
    }
}
