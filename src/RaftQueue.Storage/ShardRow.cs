using System.Buffers.Binary;
using RaftQueue.Primitives;

namespace RaftQueue.Storage;

/// <summary>
/// What every batch says of every shard, as of before its own records: entries up to <see cref="Released"/> are not needed,
/// the log ends at <see cref="Last"/>, and <see cref="Floor"/> is the end of a log that was damaged (zero when there is
/// nothing to make good). With it a reader notices what an unreadable batch has taken from which shard.
/// </summary>
internal readonly record struct ShardRow(LogPosition Released, LogPosition Last, LogPosition Floor)
{
    /// <summary>Shard u16, then term and index (i64 each) of the three.</summary>
    public const int Size = 2 + (3 * 16);

    public void Write(Span<byte> into, ShardId shard)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(into, shard.Value);
        WritePosition(into[2..], Released);
        WritePosition(into[18..], Last);
        WritePosition(into[34..], Floor);
    }

    public static ShardRow Read(ReadOnlySpan<byte> from, out ShardId shard)
    {
        shard = new ShardId(BinaryPrimitives.ReadUInt16LittleEndian(from));
        return new ShardRow(ReadPosition(from[2..]), ReadPosition(from[18..]), ReadPosition(from[34..]));
    }

    /// <summary>The row after the log came to end at <paramref name="last"/>: a floor that is reached is made good.</summary>
    public ShardRow EndingAt(LogPosition last) =>
        this with { Last = last, Floor = last.IsUpToDateWith(Floor) ? default : Floor };

    private static void WritePosition(Span<byte> into, LogPosition position)
    {
        BinaryPrimitives.WriteInt64LittleEndian(into, position.Term.Value);
        BinaryPrimitives.WriteInt64LittleEndian(into[8..], position.Index.Value);
    }

    private static LogPosition ReadPosition(ReadOnlySpan<byte> from) => new(
        new Term(BinaryPrimitives.ReadInt64LittleEndian(from)),
        new LogIndex(BinaryPrimitives.ReadInt64LittleEndian(from[8..])));
}
