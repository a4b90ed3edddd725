using RaftQueue.Primitives;

namespace RaftQueue.Transport;

/// <summary>
/// The answer to a <see cref="PageQuestion"/>: outcome u8 (0 pages, 1 the checkpoint is gone); with pages, then one byte for each
/// name (1 found, 0 not) and what was found, one behind the other.
/// </summary>
internal static class PageAnswer
{
    private const byte Pages = 0;
    private const byte Gone = 1;

    /// <summary>No answer is longer.</summary>
    public const int MaxBytes = 1 + TransferLimits.MaxNames + TransferLimits.MaxContentBytes;

    /// <summary>Reads what is asked for straight into the answer; returns its length.</summary>
    public static int Encode(ITransferReader reader, ReadOnlySpan<PageName> names, Span<byte> into)
    {
        Span<bool> found = stackalloc bool[names.Length];
        into[0] = Gone;
        if (!reader.TryRead(names, found, into.Slice(1 + names.Length, names.Length * PageName.PageBytes), out int written)) return 1;
        into[0] = Pages;
        for (int i = 0; i < names.Length; i++) into[1 + i] = found[i] ? (byte)1 : (byte)0;
        return 1 + names.Length + written;
    }

    /// <summary>Null when the bytes are no answer to this question.</summary>
    public static TransferAnswer? TryDecode(ReadOnlyMemory<byte> bytes, PageName[] names)
    {
        ReadOnlySpan<byte> span = bytes.Span;
        if (span.Length == 1 && span[0] == Gone) return TransferAnswer.Gone;
        if (span.Length < 1 + names.Length || span[0] != Pages) return null;
        bool[] found = new bool[names.Length];
        int contents = 0;
        for (int i = 0; i < names.Length; i++)
        {
            if (span[1 + i] > 1) return null;
            found[i] = span[1 + i] == 1;
            if (found[i]) contents += names[i].ContentBytes;
        }

        if (span.Length != 1 + names.Length + contents) return null;
        return new TransferAnswer(names, found, bytes[(1 + names.Length)..], IsGone: false, null);
    }
}
