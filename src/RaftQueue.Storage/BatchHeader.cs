using System.Buffers.Binary;
using RaftQueue.Primitives;

namespace RaftQueue.Storage;

/// <summary>
/// What stands in front of every write batch, local to this disk, little endian, <see cref="FixedSize"/> bytes: magic u32,
/// shard rows u16, records u16, segment i64, offset i32, data bytes i32, synced-to segment i64 and offset i32, zero u32,
/// CRC32C of segment, offset and data u32, CRC32C of the whole header u32. Then the <see cref="ShardRow"/>s, the
/// <see cref="BatchRecord"/>s and the data: whole entries. The segment's sequence number is under both checksums, so what an
/// earlier life of a recycled file left behind never counts; the offset, so that a misdirected write does not either.
/// </summary>
internal sealed class BatchHeader
{
    public const int FixedSize = 48;

    private const uint Magic = 0x4851_4252;
    private const int DataCrcOffset = 40;
    private const int HeaderCrcOffset = 44;

    public required WalPosition Position { get; init; }

    /// <summary>All of the log before this place was synced when the batch was put together.</summary>
    public required WalPosition SyncedTo { get; init; }

    public required (ShardId Shard, ShardRow Row)[] Rows { get; init; }

    public required BatchRecord[] Records { get; init; }

    public required int HeaderBytes { get; init; }

    public required int DataBytes { get; init; }

    public required uint DataCrc { get; init; }

    /// <summary>Where the next batch starts.</summary>
    public WalPosition End => Position with { Offset = Position.Offset + (int)WalFormat.RoundUp(HeaderBytes + DataBytes) };

    public static int SizeOf(int shards, int records) => FixedSize + (shards * ShardRow.Size) + (records * BatchRecord.Size);

    /// <summary>The checksum of the data, begun with where it stands.</summary>
    public static uint StartDataCrc(WalPosition position)
    {
        Span<byte> place = stackalloc byte[12];
        BinaryPrimitives.WriteInt64LittleEndian(place, position.Segment);
        BinaryPrimitives.WriteInt32LittleEndian(place[8..], position.Offset);
        return Crc32C.Compute(place);
    }

    /// <summary>Fills and seals the header; rows and records already stand behind the fixed part.</summary>
    public static void Seal(
        Span<byte> header, WalPosition position, WalPosition syncedTo, int shards, int records, int dataBytes, uint dataCrc)
    {
        header[..FixedSize].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(header, Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(header[4..], checked((ushort)shards));
        BinaryPrimitives.WriteUInt16LittleEndian(header[6..], checked((ushort)records));
        BinaryPrimitives.WriteInt64LittleEndian(header[8..], position.Segment);
        BinaryPrimitives.WriteInt32LittleEndian(header[16..], position.Offset);
        BinaryPrimitives.WriteInt32LittleEndian(header[20..], dataBytes);
        BinaryPrimitives.WriteInt64LittleEndian(header[24..], syncedTo.Segment);
        BinaryPrimitives.WriteInt32LittleEndian(header[32..], syncedTo.Offset);
        BinaryPrimitives.WriteUInt32LittleEndian(header[DataCrcOffset..], dataCrc);
        BinaryPrimitives.WriteUInt32LittleEndian(header[HeaderCrcOffset..], HeaderCrc(header));
    }

    /// <summary>The bytes of the header that starts here, or 0 when nothing can start here. Looks only at the fixed part.</summary>
    public static int PeekSize(ReadOnlySpan<byte> start, WalPosition position, long segmentBytes)
    {
        if (start.Length < FixedSize || BinaryPrimitives.ReadUInt32LittleEndian(start) != Magic) return 0;
        if (BinaryPrimitives.ReadInt64LittleEndian(start[8..]) != position.Segment) return 0;
        if (BinaryPrimitives.ReadInt32LittleEndian(start[16..]) != position.Offset) return 0;
        int data = BinaryPrimitives.ReadInt32LittleEndian(start[20..]);
        int size = SizeOf(BinaryPrimitives.ReadUInt16LittleEndian(start[4..]), BinaryPrimitives.ReadUInt16LittleEndian(start[6..]));
        return data >= 0 && position.Offset + (long)size + data <= segmentBytes ? size : 0;
    }

    /// <summary>Reads a whole header of <see cref="PeekSize"/> bytes; null when a checksum or a field is wrong.</summary>
    public static BatchHeader? TryRead(ReadOnlySpan<byte> header, WalPosition position)
    {
        if (BinaryPrimitives.ReadUInt32LittleEndian(header[HeaderCrcOffset..]) != HeaderCrc(header)) return null;
        var rows = new (ShardId Shard, ShardRow Row)[BinaryPrimitives.ReadUInt16LittleEndian(header[4..])];
        var records = new BatchRecord[BinaryPrimitives.ReadUInt16LittleEndian(header[6..])];
        int dataBytes = BinaryPrimitives.ReadInt32LittleEndian(header[20..]);
        int at = FixedSize;
        for (int index = 0; index < rows.Length; index++, at += ShardRow.Size)
        {
            ShardRow row = ShardRow.Read(header[at..], out ShardId shard);
            rows[index] = (shard, row);
        }

        long recordBytes = 0;
        for (int index = 0; index < records.Length; index++, at += BatchRecord.Size)
        {
            if (!BatchRecord.TryRead(header[at..], out records[index])) return null;
            recordBytes += records[index].Bytes;
        }

        if (recordBytes != dataBytes) return null;
        return new BatchHeader
        {
            Position = position,
            SyncedTo = new WalPosition(
                BinaryPrimitives.ReadInt64LittleEndian(header[24..]), BinaryPrimitives.ReadInt32LittleEndian(header[32..])),
            Rows = rows,
            Records = records,
            HeaderBytes = header.Length,
            DataBytes = dataBytes,
            DataCrc = BinaryPrimitives.ReadUInt32LittleEndian(header[DataCrcOffset..]),
        };
    }

    private static uint HeaderCrc(ReadOnlySpan<byte> header) =>
        Crc32C.Append(Crc32C.Compute(header[..HeaderCrcOffset]), header[FixedSize..]);
}
