using FsCheck;
using FsCheck.Fluent;
using RaftQueue.Consensus;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;

namespace RaftQueue.Transport.Tests;

public sealed class MessageCodecTests
{
    [Fact]
    public void MessagesReadBack() => Prop.ForAll(Wire.Messages.ArrayOf().ToArbitrary(), messages =>
    {
        byte[] payload = Encode(messages);
        Assert.Equal(4 + messages.Sum(MessageCodec.EncodedBytes), payload.Length);
        var read = new List<Message> { new() };
        Assert.True(MessageCodec.TryDecode(payload, read));
        Assert.Equal(messages.Length, read.Count - 1);
        for (int i = 0; i < messages.Length; i++) Same(messages[i], read[i + 1]);
        return true;
    }).Check(Config.QuickThrowOnFailure);

    [Fact]
    public void EntriesAreSlicesOfThePayload()
    {
        byte[] payload = Encode([Append(new LogIndex(5), Wire.Entry(new ShardId(2), new LogIndex(6), 10))]);
        var read = new List<Message>();
        Assert.True(MessageCodec.TryDecode(payload, read));
        Assert.True(System.Runtime.InteropServices.MemoryMarshal.TryGetArray(read[0].Entries[0].Bytes, out ArraySegment<byte> slice));
        Assert.Same(payload, slice.Array);
    }

    [Fact]
    public void EntriesThatDoNotFollowOrAreOfAnotherShardAreRefused()
    {
        LogEntry six = Wire.Entry(new ShardId(2), new LogIndex(6), 10);
        LogEntry seven = Wire.Entry(new ShardId(2), new LogIndex(7), 10);
        Assert.True(Decodes(Append(new LogIndex(5), six, seven)));
        Assert.False(Decodes(Append(new LogIndex(5), seven, six)));
        Assert.False(Decodes(Append(new LogIndex(5), six, six)));
        Assert.False(Decodes(Append(new LogIndex(4), six)));
        Assert.False(Decodes(Append(new LogIndex(long.MaxValue), six)));
        Assert.False(Decodes(Append(new LogIndex(5), Wire.Entry(new ShardId(3), new LogIndex(6), 10))));
        Assert.False(Decodes(new Message
        {
            Kind = MessageKind.Heartbeat, Shard = new ShardId(2), From = new NodeId(1), To = new NodeId(2), Index = new LogIndex(5), Entries = [six],
        }));
    }

    [Fact]
    public void AFlippedBitInAnEntryIsSeenAndLeavesNothingBehind()
    {
        byte[] payload = Encode([Append(new LogIndex(5), Wire.Entry(new ShardId(2), new LogIndex(6), 10))]);
        int entries = payload.Length - EntryHeader.Size - CommandFrame.HeaderSize - 10;
        for (int bit = entries * 8; bit < payload.Length * 8; bit++)
        {
            byte[] damaged = [.. payload];
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            var read = new List<Message>();
            Assert.False(MessageCodec.TryDecode(damaged, read));
            Assert.Empty(read);
        }
    }

    /// <summary>Who does not know the field leaves zeros there, and who reads it as a hint of a heartbeat's answer ignores it.</summary>
    [Theory]
    [InlineData(null, 0)]
    [InlineData(0L, 1)]
    [InlineData(750L, 751)]
    public void HowLongApplyStandsStillTravelsInThePlaceOfAHint(long? stuckMs, long onTheWire)
    {
        byte[] payload = Encode([new Message { Kind = MessageKind.HeartbeatReply, From = new NodeId(2), To = new NodeId(1), ApplyStuckMs = stuckMs }]);
        Assert.Equal(onTheWire, System.Buffers.Binary.BinaryPrimitives.ReadInt64LittleEndian(payload.AsSpan(4 + 48)));
        var read = new List<Message>();
        Assert.True(MessageCodec.TryDecode(payload, read));
        Assert.Equal(stuckMs, read[0].ApplyStuckMs);
    }

    [Fact]
    public void ACountThatCannotBeAllocatesNothingLarge()
    {
        byte[] payload = Encode([Append(new LogIndex(5), Wire.Entry(new ShardId(2), new LogIndex(6), 10))]);
        System.Buffers.Binary.BinaryPrimitives.WriteInt32LittleEndian(payload.AsSpan(16), int.MaxValue);
        var read = new List<Message>();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.False(MessageCodec.TryDecode(payload, read));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10_000);
    }

    internal static byte[] Encode(IReadOnlyList<Message> messages)
    {
        using var buffer = new PooledBuffer();
        MessageCodec.Encode(messages, buffer);
        return buffer.WrittenSpan.ToArray();
    }

    private static bool Decodes(Message message) => MessageCodec.TryDecode(Encode([message]), []);

    private static Message Append(LogIndex previous, params LogEntry[] entries) => new()
    {
        Kind = MessageKind.Append,
        Shard = new ShardId(2),
        From = new NodeId(1),
        To = new NodeId(2),
        Term = new Term(3),
        Index = previous,
        Entries = entries,
    };

    private static void Same(Message expected, Message actual)
    {
        Assert.Equal(
            (expected.Kind, expected.Shard, expected.From, expected.To, expected.Term, expected.Index, expected.LogTerm),
            (actual.Kind, actual.Shard, actual.From, actual.To, actual.Term, actual.Index, actual.LogTerm));
        Assert.Equal(
            (expected.Commit, expected.Reject, expected.HintIndex, expected.HintTerm, expected.Force, expected.Context, expected.WallUnixMs),
            (actual.Commit, actual.Reject, actual.HintIndex, actual.HintTerm, actual.Force, actual.Context, actual.WallUnixMs));
        Assert.Equal(expected.ApplyStuckMs, actual.ApplyStuckMs);
        Assert.Equal(expected.Entries.Select(entry => entry.Bytes.ToArray()), actual.Entries.Select(entry => entry.Bytes.ToArray()));
    }
}
