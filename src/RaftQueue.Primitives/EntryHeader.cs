using System.Buffers.Binary;

namespace RaftQueue.Primitives;

/// <summary>
/// What every log entry starts with, little endian, <see cref="Size"/> bytes:
/// format u8, apply level u8, shard u16, command count u32, term i64, index i64, timestamp i64 (Unix ms),
/// length u32 (bytes of the commands that follow), CRC32C u32 (of the 36 bytes before it and of the commands).
/// The bytes of an entry are the same on every disk, wire and in every apply.
/// </summary>
public readonly record struct EntryHeader(
    byte Format,
    byte ApplyLevel,
    ShardId Shard,
    int CommandCount,
    Term Term,
    LogIndex Index,
    long TimestampMs,
    int Length)
{
    /// <summary>Bytes of the header, checksum included.</summary>
    public const int Size = 40;

    /// <summary>The layout that this program writes.</summary>
    public const byte CurrentFormat = 1;

    /// <summary>The newest meaning of commands that this program can apply.</summary>
    public const byte CurrentApplyLevel = 1;

    /// <summary>No entry is longer than this, header included, whatever a length field claims.</summary>
    public const int MaxEntryBytes = 16 * 1024 * 1024;

    private const int CrcOffset = 36;

    /// <summary>
    /// Writes the header of <paramref name="entry"/>, whose commands already stand behind the first
    /// <see cref="Size"/> bytes, checksum included.
    /// </summary>
    public void Seal(Span<byte> entry)
    {
        Invariant.That(entry.Length == Size + Length, "an entry's length field tells its size");
        entry[0] = Format;
        entry[1] = ApplyLevel;
        BinaryPrimitives.WriteUInt16LittleEndian(entry[2..], Shard.Value);
        BinaryPrimitives.WriteInt32LittleEndian(entry[4..], CommandCount);
        BinaryPrimitives.WriteInt64LittleEndian(entry[8..], Term.Value);
        BinaryPrimitives.WriteInt64LittleEndian(entry[16..], Index.Value);
        BinaryPrimitives.WriteInt64LittleEndian(entry[24..], TimestampMs);
        BinaryPrimitives.WriteInt32LittleEndian(entry[32..], Length);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[CrcOffset..], Checksum(entry));
    }

    /// <summary>
    /// Reads the header in front of <paramref name="data"/> without looking at the checksum. False when there are too few
    /// bytes or a field cannot be: what follows must not be trusted.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> data, out EntryHeader header)
    {
        header = default;
        if (data.Length < Size) return false;
        var read = new EntryHeader(
            data[0],
            data[1],
            new ShardId(BinaryPrimitives.ReadUInt16LittleEndian(data[2..])),
            BinaryPrimitives.ReadInt32LittleEndian(data[4..]),
            new Term(BinaryPrimitives.ReadInt64LittleEndian(data[8..])),
            new LogIndex(BinaryPrimitives.ReadInt64LittleEndian(data[16..])),
            BinaryPrimitives.ReadInt64LittleEndian(data[24..]),
            BinaryPrimitives.ReadInt32LittleEndian(data[32..]));
        bool possible = read is { Format: CurrentFormat, CommandCount: >= 0, Term.Value: > 0, Index.Value: > 0, Length: >= 0 }
            && read.Length <= MaxEntryBytes - Size
            && (long)read.CommandCount * CommandFrame.HeaderSize <= read.Length;
        if (!possible) return false;
        header = read;
        return true;
    }

    /// <summary>Whether <paramref name="entry"/>, exactly one entry, has the checksum it should.</summary>
    public static bool ChecksumHolds(ReadOnlySpan<byte> entry) =>
        entry.Length >= Size && BinaryPrimitives.ReadUInt32LittleEndian(entry[CrcOffset..]) == Checksum(entry);

    private static uint Checksum(ReadOnlySpan<byte> entry) =>
        Crc32C.Append(Crc32C.Compute(entry[..CrcOffset]), entry[Size..]);
}
