using System.Text;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs;

/// <summary>
/// Names a job for ever: the shard's enqueue sequence (never used twice), the shard, and the record's place in it. The text
/// is 26 digits of base32hex and sorts like the sequence. A slot that now holds another sequence means: not found.
/// </summary>
public readonly record struct JobId(ulong Sequence, ShardId Shard, long Slot)
{
    /// <summary>Bytes of the text.</summary>
    public const int TextLength = 26;

    /// <summary>The largest slot: 48 bits.</summary>
    public const long MaxSlot = (1L << 48) - 1;

    private const int ShardShift = 48;
    private const int SequenceShift = 64;

    /// <summary>Writes the text into the first <see cref="TextLength"/> bytes.</summary>
    public void Format(Span<byte> destination) => Base32Hex.Write(Packed, destination[..TextLength]);

    /// <summary>False for anything that <see cref="Format"/> does not write.</summary>
    public static bool TryParse(ReadOnlySpan<byte> utf8, out JobId id)
    {
        id = default;
        if (utf8.Length != TextLength || !Base32Hex.TryRead(utf8, out UInt128 packed)) return false;
        id = new JobId(
            (ulong)(packed >> SequenceShift),
            new ShardId((ushort)(packed >> ShardShift)),
            (long)(ulong)(packed & (UInt128)(ulong)MaxSlot));
        return true;
    }

    public override string ToString()
    {
        Span<byte> text = stackalloc byte[TextLength];
        Format(text);
        return Encoding.ASCII.GetString(text);
    }

    private UInt128 Packed => ((UInt128)Sequence << SequenceShift) | ((UInt128)Shard.Value << ShardShift) | (UInt128)(ulong)Slot;
}
