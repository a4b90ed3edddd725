using FsCheck;
using FsCheck.Fluent;
using RaftQueue.Consensus;
using RaftQueue.Primitives;

namespace RaftQueue.Transport.Tests;

/// <summary>Generators of what goes over the wire.</summary>
internal static class Wire
{
    private static readonly Gen<long> s_positions = Gen.OneOf(
        Gen.Choose(0, 1000).Select(value => (long)value), Gen.Elements(long.MaxValue, (long)int.MaxValue + 1, 0));

    private static readonly Gen<ulong> s_ulongs = ArbMap.Default.GeneratorFor<ulong>();

    private static readonly Gen<string> s_text =
        from length in Gen.Elements(0, 1, 20, 80)
        from characters in Gen.ArrayOf(Gen.Choose(0x20, 0x7e), length)
        select string.Concat(characters.Select(character => (char)character));

    public static Gen<PageName> PageNames { get; } =
        from level in Gen.Choose(0, PageName.RootLevel)
        from number in Gen.Choose(1, 255)
        from hash in s_ulongs
        select new PageName(level, level == PageName.RootLevel ? 0 : (uint)number, hash | 1);

    public static Gen<Handshake> Handshakes { get; } =
        from texts in Gen.ArrayOf(s_text, 4)
        from numbers in Gen.ArrayOf(Gen.Choose(0, 255), 8)
        from node in Gen.Choose(1, int.MaxValue)
        from incarnations in Gen.ArrayOf(s_ulongs, 2)
        from blank in Gen.Elements(true, false)
        select new Handshake
        {
            ClusterId = texts[0],
            Durability = texts[1],
            HttpAddress = texts[2],
            PeerAddress = texts[3],
            ProtocolVersion = (ushort)numbers[0],
            Shards = numbers[1],
            HeartbeatMs = numbers[2],
            ElectionTimeoutMs = numbers[3],
            EntryFormat = (byte)numbers[4],
            ApplyLevel = (byte)numbers[5],
            CheckpointFormat = (byte)numbers[6],
            Target = new NodeId(numbers[7]),
            Node = new NodeId(node),
            Incarnation = new Incarnation(incarnations[0]),
            ExpectedTarget = new Incarnation(incarnations[1]),
            Blank = blank,
        };

    public static Gen<Message> Messages { get; } =
        from kind in Gen.Choose(1, 10)
        from shard in Gen.Choose(0, ushort.MaxValue)
        from nodes in Gen.ArrayOf(Gen.Choose(1, int.MaxValue), 2)
        from positions in Gen.ArrayOf(s_positions, 6)
        from context in s_ulongs
        from flags in Gen.ArrayOf(Gen.Elements(true, false), 2)
        from wall in ArbMap.Default.GeneratorFor<long>()
        from entryCount in Gen.Choose(0, 4)
        from sizes in Gen.ArrayOf(Gen.Choose(0, 300), 4)
        let index = new LogIndex(Math.Min(positions[1], long.MaxValue - 10))
        select new Message
        {
            Kind = (MessageKind)kind,
            Shard = new ShardId((ushort)shard),
            From = new NodeId(nodes[0]),
            To = new NodeId(nodes[1]),
            Term = new Term(positions[0]),
            Index = index,
            LogTerm = new Term(positions[2]),
            Commit = new LogIndex(positions[3]),
            HintIndex = (MessageKind)kind == MessageKind.HeartbeatReply ? LogIndex.Zero : new LogIndex(positions[4]),
            ApplyStuckMs = (MessageKind)kind == MessageKind.HeartbeatReply && flags[0] ? Math.Min(positions[4], long.MaxValue - 1) : null,
            HintTerm = new Term(positions[5]),
            Reject = flags[0],
            Force = flags[1],
            Context = context,
            WallUnixMs = wall,
            Entries = (MessageKind)kind == MessageKind.Append
                ? [.. Enumerable.Range(0, entryCount).Select(i => Entry(new ShardId((ushort)shard), index + 1 + i, sizes[i]))]
                : [],
        };

    /// <summary>An entry with one command of <paramref name="size"/> bytes.</summary>
    public static LogEntry Entry(ShardId shard, LogIndex index, int size)
    {
        var frame = new CommandFrame(CommandFrame.FirstJobType, new Incarnation(9), 4, new byte[size]);
        byte[] bytes = new byte[EntryHeader.Size + frame.Size];
        frame.Write(bytes.AsSpan(EntryHeader.Size));
        new EntryHeader(EntryHeader.CurrentFormat, 1, shard, 1, new Term(3), index, 1_700_000_000_000, frame.Size).Seal(bytes);
        Assert.True(LogEntry.TryParse(bytes, out LogEntry? entry));
        return entry;
    }

    /// <summary>Replaces one byte, cuts or appends; sometimes nothing.</summary>
    public static Gen<byte[]> Damaged(Gen<byte[]> valid) =>
        from bytes in valid
        from at in Gen.Choose(0, Math.Max(0, bytes.Length - 1))
        from value in Gen.Choose(0, 255)
        from how in Gen.Choose(0, 3)
        select how switch
        {
            0 => bytes[..at],
            1 => [.. bytes, (byte)value],
            _ when bytes.Length > 0 => [.. bytes.AsSpan(0, at), (byte)value, .. bytes.AsSpan(at + 1)],
            _ => bytes,
        };
}
