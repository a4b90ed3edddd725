using System.Diagnostics.CodeAnalysis;
using RaftQueue.Primitives;

namespace RaftQueue.Consensus;

/// <summary>
/// One immutable log entry: header and commands exactly as on disk and wire, in an array that nobody changes any more.
/// Safe from any thread.
/// </summary>
public sealed class LogEntry
{
    private LogEntry(EntryHeader header, ReadOnlyMemory<byte> bytes, MembershipRecord? membership)
    {
        Header = header;
        Bytes = bytes;
        Membership = membership;
    }

    public EntryHeader Header { get; }

    public Term Term => Header.Term;

    public LogIndex Index => Header.Index;

    /// <summary>Bytes of the whole entry, header included.</summary>
    public int SizeBytes => Bytes.Length;

    /// <summary>The whole entry, header included.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>The command frames behind the header; see <see cref="CommandFrame.TryTake"/>.</summary>
    public ReadOnlySpan<byte> Commands => Bytes.Span[EntryHeader.Size..];

    /// <summary>The membership when the only command is one, else null.</summary>
    public MembershipRecord? Membership { get; }

    /// <summary>
    /// Takes exactly one entry. False when the header, the checksum, the frames (their number and lengths) or a membership in it
    /// is not as it must be; never throws. Keeps <paramref name="bytes"/>: the caller must not change them afterwards.
    /// </summary>
    public static bool TryParse(ReadOnlyMemory<byte> bytes, [NotNullWhen(true)] out LogEntry? entry)
    {
        entry = null;
        ReadOnlySpan<byte> span = bytes.Span;
        if (!EntryHeader.TryRead(span, out EntryHeader header)) return false;
        if (header.Length != span.Length - EntryHeader.Size || !EntryHeader.ChecksumHolds(span)) return false;
        if (!TryReadFrames(span[EntryHeader.Size..], header.CommandCount, out MembershipRecord? membership)) return false;
        entry = new LogEntry(header, bytes, membership);
        return true;
    }

    /// <summary>The entry that starts a leader's term (Raft thesis 6.4).</summary>
    public static LogEntry TermStart(ShardId shard, Term term, LogIndex index, long timestampMs) =>
        OfOneCommand(shard, term, index, timestampMs, CommandFrame.TermStartType, [], null);

    /// <summary>An entry with nothing but a membership.</summary>
    public static LogEntry ForMembership(ShardId shard, Term term, LogIndex index, long timestampMs, MembershipRecord membership) =>
        OfOneCommand(shard, term, index, timestampMs, CommandFrame.MembershipType, membership.Encode(), membership);

    public override string ToString() => $"{Term}/{Index}";

    private static LogEntry OfOneCommand(
        ShardId shard, Term term, LogIndex index, long timestampMs, ushort type, byte[] body, MembershipRecord? membership)
    {
        var frame = new CommandFrame(type, Incarnation.None, 0, body);
        byte[] bytes = new byte[EntryHeader.Size + frame.Size];
        frame.Write(bytes.AsSpan(EntryHeader.Size));
        var header = new EntryHeader(
            EntryHeader.CurrentFormat, EntryHeader.CurrentApplyLevel, shard, 1, term, index, timestampMs, frame.Size);
        header.Seal(bytes);
        return new LogEntry(header, bytes, membership);
    }

    private static bool TryReadFrames(ReadOnlySpan<byte> commands, int count, out MembershipRecord? membership)
    {
        membership = null;
        int found = 0;
        while (CommandFrame.TryTake(ref commands, out CommandFrame frame))
        {
            found++;
            if (frame.Type != CommandFrame.MembershipType) continue;
            if (count != 1 || !MembershipRecord.TryDecode(frame.Body, out membership)) return false;
        }

        return commands.IsEmpty && found == count;
    }
}
