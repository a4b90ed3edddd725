using FsCheck;
using FsCheck.Fluent;
using RaftQueue.Consensus.Tests.Support;
using RaftQueue.Primitives;

namespace RaftQueue.Consensus.Tests;

public sealed class CodecTests
{
    private static readonly Gen<MemberInfo> Members =
        from id in Gen.Choose(1, 40)
        from incarnation in Gen.Choose(1, int.MaxValue)
        from peer in Gen.Elements("", "node:7000", "[::1]:9", "Knoten-ä:7000", "\U0001F600:1")
        from http in Gen.Elements("", "node:8000", new string('a', MembershipRecord.MaxAddressBytes))
        from promote in Gen.Elements(true, false)
        select new MemberInfo(new NodeId(id), new Incarnation((ulong)incarnation), peer, http) { PromoteWhenCaughtUp = promote };

    private static readonly Gen<MembershipRecord?> Records =
        from voters in Members.ListOf()
        from learners in Members.ListOf()
        from outgoing in Members.ListOf()
        select TryMake(voters, learners, outgoing);

    [Fact]
    public void AMembershipReadsBackAsItWasWritten() =>
        Prop.ForAll(Records.Where(record => record is not null).ToArbitrary(), record =>
        {
            byte[] bytes = record!.Encode();
            return MembershipRecord.TryDecode(bytes, out MembershipRecord? read) && read!.Equals(record)
                && read.GetHashCode() == record.GetHashCode() && read.Encode().AsSpan().SequenceEqual(bytes);
        }).Check(Config.QuickThrowOnFailure);

    [Fact]
    public void WhateverIsDecodedEncodesToTheSameBytes()
    {
        byte[] valid = Sample().Encode();
        var random = new SplitMix64(1);
        int decoded = 0;
        for (int round = 0; round < 60_000; round++)
        {
            byte[] bytes = Mutate(valid, random);
            if (!MembershipRecord.TryDecode(bytes, out MembershipRecord? record)) continue;
            decoded++;
            Assert.Equal(bytes, record!.Encode());
        }

        Assert.True(decoded > 1_000, $"only {decoded} mutations were still memberships");
    }

    [Fact]
    public void EveryCutMembershipIsRefused()
    {
        byte[] valid = Sample().Encode();
        for (int length = 0; length < valid.Length; length++)
        {
            Assert.False(MembershipRecord.TryDecode(valid.AsSpan(0, length), out _));
        }

        Assert.False(MembershipRecord.TryDecode([.. valid, 0], out _));
    }

    [Fact]
    public void ImpossibleMembershipsAreRefused()
    {
        Assert.Throws<ArgumentException>(() => new MembershipRecord([]));
        Assert.Throws<ArgumentException>(() => new MembershipRecord([Entries.Member(1), Entries.Member(1)]));
        Assert.Throws<ArgumentException>(() => new MembershipRecord([Entries.Member(1)], [Entries.Member(1, 9)]));
        Assert.Throws<ArgumentException>(() => new MembershipRecord([Entries.Member(1)], outgoing: [Entries.Member(1, 9)]));
        Assert.Throws<ArgumentException>(() => new MembershipRecord([Entries.Member(0)]));
        Assert.Throws<ArgumentException>(() => new MembershipRecord(Enumerable.Range(1, 32).Select(id => Entries.Member(id))));
        Assert.Throws<ArgumentException>(() => new MembershipRecord([Entries.Member(1) with { Incarnation = Incarnation.None }]));
        Assert.Throws<ArgumentException>(() => new MembershipRecord([Entries.Member(1) with { PeerAddress = new string('a', 256) }]));
        Assert.Throws<ArgumentException>(() => new MembershipRecord([Entries.Member(1) with { PeerAddress = "\uD800" }]));
    }

    [Fact]
    public void EntriesReadBack()
    {
        MembershipRecord members = Sample();
        LogEntry written = LogEntry.ForMembership(new ShardId(3), new Term(4), new LogIndex(9), 123, members);
        Assert.True(LogEntry.TryParse(written.Bytes, out LogEntry? read));
        Assert.Equal(members, read.Membership);
        Assert.Equal(written.Header, read.Header);
        Assert.Equal(123, read.Header.TimestampMs);

        LogEntry start = LogEntry.TermStart(new ShardId(3), new Term(4), new LogIndex(9), 123);
        Assert.True(LogEntry.TryParse(start.Bytes, out read));
        Assert.Null(read.Membership);
        ReadOnlySpan<byte> commands = read.Commands;
        Assert.True(CommandFrame.TryTake(ref commands, out CommandFrame frame));
        Assert.Equal(CommandFrame.TermStartType, frame.Type);
    }

    [Fact]
    public void AnEntryWithAnyFlippedBitOrOtherLengthIsRefused()
    {
        byte[] bytes = LogEntry.ForMembership(Entries.Shard, new Term(4), new LogIndex(9), 123, Sample()).Bytes.ToArray();
        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(LogEntry.TryParse(bytes, out _), $"bit {bit}");
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        for (int length = 0; length < bytes.Length; length++) Assert.False(LogEntry.TryParse(bytes.AsMemory(0, length), out _));
        Assert.False(LogEntry.TryParse((byte[])[.. bytes, 0], out _));
        Assert.True(LogEntry.TryParse(bytes, out _));
    }

    /// <summary>Bodies are changed and sealed again, so that the checksum does not hide what lies behind it.</summary>
    [Fact]
    public void EntriesWithGarbageUnderAValidChecksumNeverThrow()
    {
        LogEntry valid = LogEntry.ForMembership(Entries.Shard, new Term(4), new LogIndex(9), 123, Sample());
        var random = new SplitMix64(2);
        int parsed = 0;
        int refused = 0;
        for (int round = 0; round < 30_000; round++)
        {
            byte[] commands = Mutate(valid.Commands.ToArray(), random);
            byte[] bytes = new byte[EntryHeader.Size + commands.Length];
            commands.CopyTo(bytes.AsSpan(EntryHeader.Size));
            (valid.Header with { Length = commands.Length }).Seal(bytes);
            if (LogEntry.TryParse(bytes, out _)) parsed++;
            else refused++;
        }

        Assert.True(parsed > 100 && refused > 100, $"{parsed} parsed, {refused} refused");
    }

    [Fact]
    public void AMembershipStandsAloneInItsEntry()
    {
        byte[] body = Sample().Encode();
        var frame = new CommandFrame(CommandFrame.MembershipType, Incarnation.None, 0, body);
        byte[] bytes = new byte[EntryHeader.Size + (2 * frame.Size)];
        frame.Write(bytes.AsSpan(EntryHeader.Size));
        frame.Write(bytes.AsSpan(EntryHeader.Size + frame.Size));
        new EntryHeader(EntryHeader.CurrentFormat, 1, Entries.Shard, 2, new Term(1), new LogIndex(1), 0, 2 * frame.Size).Seal(bytes);
        Assert.False(LogEntry.TryParse(bytes, out _));
    }

    private static MembershipRecord Sample() => new(
        [Entries.Member(1), Entries.Member(2)],
        [Entries.Member(3, 7) with { PromoteWhenCaughtUp = true }],
        [Entries.Member(1), Entries.Member(2), Entries.Member(3)]);

    private static MembershipRecord? TryMake(IEnumerable<MemberInfo> voters, IEnumerable<MemberInfo> learners, IEnumerable<MemberInfo> outgoing)
    {
        MemberInfo[] votersOnce = [.. voters.DistinctBy(member => member.Id).OrderBy(member => member.Id.Value).Take(MembershipRecord.MaxMembers)];
        MemberInfo[] learnersOnce = [.. learners.DistinctBy(member => member.Id).OrderBy(member => member.Id.Value)];
        MemberInfo[] outgoingOnce = [.. outgoing.DistinctBy(member => member.Id).OrderBy(member => member.Id.Value)];
        return MembershipRecord.FromOrdered(votersOnce, learnersOnce, outgoingOnce);
    }

    private static byte[] Mutate(byte[] valid, SplitMix64 random)
    {
        var bytes = new List<byte>(valid);
        for (long i = random.NextBelow(3); i >= 0; i--)
        {
            int at = (int)random.NextBelow(bytes.Count);
            switch (random.NextBelow(4))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << (int)random.NextBelow(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.NextBelow(256);
                    break;
                case 2:
                    bytes.Insert(at, (byte)random.NextBelow(256));
                    break;
                default:
                    if (bytes.Count > 1) bytes.RemoveAt(at);
                    break;
            }
        }

        return [.. bytes];
    }
}
