using System.Buffers.Binary;
using RaftQueue.Consensus;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;

namespace RaftQueue.Transport;

/// <summary>
/// Consensus messages as the payload of one frame, little endian: format u16, count u16, then each message in
/// <see cref="FixedBytes"/> bytes followed by its entries as they stand on disk (an entry tells its own length):
/// kind u8, flags u8 (1 reject, 2 force, 4 unfit), shard u16, from i32, to i32, entry count i32, term, index, log term, commit, hint index
/// (of a HeartbeatReply 1 + <see cref="Message.ApplyStuckMs"/>, 0 not said), hint term i64, context u64, wall clock i64. <see cref="Message.FromIncarnation"/> is not sent: frames carry it.
/// </summary>
public static class MessageCodec
{
    /// <summary>Messages in one payload at most.</summary>
    public const int MaxMessages = ushort.MaxValue;

    private const ushort Format = 1;
    private const int PrefixBytes = 4;
    private const int FixedBytes = 80;
    private const byte RejectFlag = 1;
    private const byte ForceFlag = 2;
    private const byte UnfitFlag = 4;

    /// <summary>Bytes that <paramref name="message"/> takes in a payload; the payload itself takes a few more.</summary>
    public static long EncodedBytes(Message message)
    {
        long bytes = FixedBytes;
        for (int i = 0; i < message.Entries.Count; i++) bytes += message.Entries[i].SizeBytes;
        return bytes;
    }

    /// <summary>Appends the payload to <paramref name="output"/>. A payload that is to be sent must fit <see cref="FrameHeader.MaxMessageBytes"/>.</summary>
    public static void Encode(IReadOnlyList<Message> messages, PooledBuffer output)
    {
        Invariant.That(messages.Count <= MaxMessages, "messages are sent in bounded groups");
        Span<byte> prefix = output.GetSpan(PrefixBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(prefix, Format);
        BinaryPrimitives.WriteUInt16LittleEndian(prefix[2..], (ushort)messages.Count);
        output.Advance(PrefixBytes);
        for (int i = 0; i < messages.Count; i++) EncodeOne(messages[i], output);
    }

    /// <summary>
    /// Appends the messages to <paramref name="into"/>. Entries are slices of <paramref name="payload"/>, which must not be changed
    /// afterwards and stays in memory as long as one of them. False, with nothing appended, for anything but such a payload:
    /// every entry's checksum and frames are checked, and that entries only stand in an Append, behind its Index, without a gap.
    /// </summary>
    public static bool TryDecode(ReadOnlyMemory<byte> payload, List<Message> into)
    {
        if (payload.Length < PrefixBytes) return false;
        ReadOnlySpan<byte> prefix = payload.Span;
        if (BinaryPrimitives.ReadUInt16LittleEndian(prefix) != Format) return false;
        int count = BinaryPrimitives.ReadUInt16LittleEndian(prefix[2..]);
        ReadOnlyMemory<byte> rest = payload[PrefixBytes..];
        if ((long)count * FixedBytes > rest.Length) return false;
        int before = into.Count;
        for (int i = 0; i < count; i++)
        {
            if (!TryDecodeOne(ref rest, into))
            {
                into.RemoveRange(before, into.Count - before);
                return false;
            }
        }

        if (rest.IsEmpty) return true;
        into.RemoveRange(before, into.Count - before);
        return false;
    }

    private static void EncodeOne(Message message, PooledBuffer output)
    {
        Span<byte> span = output.GetSpan(FixedBytes);
        span[0] = (byte)message.Kind;
        span[1] = (byte)((message.Reject ? RejectFlag : 0) | (message.Force ? ForceFlag : 0) | (message.Unfit ? UnfitFlag : 0));
        BinaryPrimitives.WriteUInt16LittleEndian(span[2..], message.Shard.Value);
        BinaryPrimitives.WriteInt32LittleEndian(span[4..], message.From.Value);
        BinaryPrimitives.WriteInt32LittleEndian(span[8..], message.To.Value);
        BinaryPrimitives.WriteInt32LittleEndian(span[12..], message.Entries.Count);
        BinaryPrimitives.WriteInt64LittleEndian(span[16..], message.Term.Value);
        BinaryPrimitives.WriteInt64LittleEndian(span[24..], message.Index.Value);
        BinaryPrimitives.WriteInt64LittleEndian(span[32..], message.LogTerm.Value);
        BinaryPrimitives.WriteInt64LittleEndian(span[40..], message.Commit.Value);
        BinaryPrimitives.WriteInt64LittleEndian(span[48..], message.Kind == MessageKind.HeartbeatReply ? (message.ApplyStuckMs + 1) ?? 0 : message.HintIndex.Value);
        BinaryPrimitives.WriteInt64LittleEndian(span[56..], message.HintTerm.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(span[64..], message.Context);
        BinaryPrimitives.WriteInt64LittleEndian(span[72..], message.WallUnixMs);
        output.Advance(FixedBytes);
        for (int i = 0; i < message.Entries.Count; i++) output.Write(message.Entries[i].Bytes.Span);
    }

    private static bool TryDecodeOne(ref ReadOnlyMemory<byte> rest, List<Message> into)
    {
        if (rest.Length < FixedBytes) return false;
        ReadOnlySpan<byte> span = rest.Span;
        var kind = (MessageKind)span[0];
        int entryCount = BinaryPrimitives.ReadInt32LittleEndian(span[12..]);
        if (!IsPossible(span, kind, entryCount)) return false;
        var shard = new ShardId(BinaryPrimitives.ReadUInt16LittleEndian(span[2..]));
        var index = new LogIndex(BinaryPrimitives.ReadInt64LittleEndian(span[24..]));
        long hint = BinaryPrimitives.ReadInt64LittleEndian(span[48..]);
        bool tellsApply = kind == MessageKind.HeartbeatReply;
        rest = rest[FixedBytes..];
        if (!TryDecodeEntries(ref rest, shard, index, entryCount, out IReadOnlyList<LogEntry> entries)) return false;
        into.Add(new Message
        {
            Kind = kind,
            Shard = shard,
            From = new NodeId(BinaryPrimitives.ReadInt32LittleEndian(span[4..])),
            To = new NodeId(BinaryPrimitives.ReadInt32LittleEndian(span[8..])),
            Term = new Term(BinaryPrimitives.ReadInt64LittleEndian(span[16..])),
            Index = index,
            LogTerm = new Term(BinaryPrimitives.ReadInt64LittleEndian(span[32..])),
            Commit = new LogIndex(BinaryPrimitives.ReadInt64LittleEndian(span[40..])),
            Reject = (span[1] & RejectFlag) != 0,
            HintIndex = tellsApply ? LogIndex.Zero : new LogIndex(hint),
            ApplyStuckMs = tellsApply && hint > 0 ? hint - 1 : null,
            HintTerm = new Term(BinaryPrimitives.ReadInt64LittleEndian(span[56..])),
            Force = (span[1] & ForceFlag) != 0,
            Unfit = (span[1] & UnfitFlag) != 0,
            Context = BinaryPrimitives.ReadUInt64LittleEndian(span[64..]),
            WallUnixMs = BinaryPrimitives.ReadInt64LittleEndian(span[72..]),
            Entries = entries,
        });
        return true;
    }

    private static bool IsPossible(ReadOnlySpan<byte> span, MessageKind kind, int entryCount)
    {
        if (kind is < MessageKind.PreVote or > MessageKind.CheckpointOffer || span[1] > (RejectFlag | ForceFlag | UnfitFlag)) return false;
        if (BinaryPrimitives.ReadInt32LittleEndian(span[4..]) <= 0 || BinaryPrimitives.ReadInt32LittleEndian(span[8..]) <= 0) return false;
        for (int at = 16; at < 64; at += sizeof(long))
        {
            if (BinaryPrimitives.ReadInt64LittleEndian(span[at..]) < 0) return false;
        }

        return entryCount == 0 || (entryCount > 0 && kind == MessageKind.Append);
    }

    private static bool TryDecodeEntries(
        ref ReadOnlyMemory<byte> rest, ShardId shard, LogIndex previous, int count, out IReadOnlyList<LogEntry> entries)
    {
        entries = [];
        if (count == 0) return true;
        if ((long)count * EntryHeader.Size > rest.Length) return false;
        var read = new LogEntry[count];
        for (int i = 0; i < count; i++)
        {
            if (!EntryHeader.TryRead(rest.Span, out EntryHeader header) || header.Length > rest.Length - EntryHeader.Size) return false;
            int size = EntryHeader.Size + header.Length;
            if (header.Shard != shard || header.Index != previous + 1 + i) return false;
            if (!LogEntry.TryParse(rest[..size], out LogEntry? entry)) return false;
            read[i] = entry;
            rest = rest[size..];
        }

        entries = read;
        return true;
    }
}
