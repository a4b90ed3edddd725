using System.Buffers.Binary;
using RaftQueue.Primitives;

namespace RaftQueue.Storage;

/// <summary>
/// One thing that a batch does to a shard. A run: <see cref="Count"/> entries from <see cref="Index"/> on, <see cref="Bytes"/>
/// bytes in the batch's data, behind an entry of <see cref="Term"/>; they supersede all of the shard from there on. A restart:
/// the log begins after <see cref="Index"/> of <see cref="Term"/> (a received checkpoint), and has no data.
/// </summary>
internal readonly record struct BatchRecord(
    BatchRecordKind Kind, ShardId Shard, int Count, LogIndex Index, Term Term, Term LastTerm, int Bytes)
{
    /// <summary>Kind u8, zero u8, shard u16, count i32, index i64, term i64, last term i64, bytes i32, zero i32.</summary>
    public const int Size = 40;

    /// <summary>Where the shard's log ends after this record.</summary>
    public LogPosition Last => Kind == BatchRecordKind.Restart ? new(Term, Index) : new(LastTerm, Index + (Count - 1));

    /// <summary>The entry in front of a run.</summary>
    public LogPosition Before => new(Term, Index.Previous);

    public void Write(Span<byte> into)
    {
        into[..Size].Clear();
        into[0] = (byte)Kind;
        BinaryPrimitives.WriteUInt16LittleEndian(into[2..], Shard.Value);
        BinaryPrimitives.WriteInt32LittleEndian(into[4..], Count);
        BinaryPrimitives.WriteInt64LittleEndian(into[8..], Index.Value);
        BinaryPrimitives.WriteInt64LittleEndian(into[16..], Term.Value);
        BinaryPrimitives.WriteInt64LittleEndian(into[24..], LastTerm.Value);
        BinaryPrimitives.WriteInt32LittleEndian(into[32..], Bytes);
    }

    public static bool TryRead(ReadOnlySpan<byte> from, out BatchRecord record)
    {
        record = new BatchRecord(
            (BatchRecordKind)from[0],
            new ShardId(BinaryPrimitives.ReadUInt16LittleEndian(from[2..])),
            BinaryPrimitives.ReadInt32LittleEndian(from[4..]),
            new LogIndex(BinaryPrimitives.ReadInt64LittleEndian(from[8..])),
            new Term(BinaryPrimitives.ReadInt64LittleEndian(from[16..])),
            new Term(BinaryPrimitives.ReadInt64LittleEndian(from[24..])),
            BinaryPrimitives.ReadInt32LittleEndian(from[32..]));
        return record.Kind switch
        {
            BatchRecordKind.Run => record is { Count: > 0, Bytes: > 0, Index.Value: > 0 },
            BatchRecordKind.Restart => record is { Count: 0, Bytes: 0, Index.Value: >= 0 },
            _ => false,
        };
    }
}
