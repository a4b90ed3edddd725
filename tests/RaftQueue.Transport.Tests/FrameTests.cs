using FsCheck;
using FsCheck.Fluent;
using RaftQueue.Primitives;

namespace RaftQueue.Transport.Tests;

public sealed class FrameTests
{
    private static readonly Incarnation s_sender = new(1);
    private static readonly Incarnation s_target = new(2);

    [Fact]
    public void WhateverPiecesTheStreamComesInMessagesAreTheSame()
    {
        Gen<(int[] Sizes, int Seed)> cases =
            from count in Gen.Choose(1, 8)
            from sizes in Gen.ArrayOf(Gen.Frequency((4, Gen.Choose(0, 2_000)), (1, Gen.Choose(200_000, 700_000))), count)
            from seed in Gen.Choose(0, int.MaxValue)
            select (sizes, seed);
        Prop.ForAll(cases.ToArbitrary(), item =>
        {
            var random = new Random(item.Seed);
            byte[][] messages = [.. item.Sizes.Select(size => { byte[] bytes = new byte[size]; random.NextBytes(bytes); return bytes; })];
            using var queue = new SendQueue(long.MaxValue, long.MaxValue);
            foreach (byte[] message in messages) Assert.True(queue.TryAdd(FrameKind.Raft, new ShardId(7), false, s_sender, s_target, message));
            List<byte[]> joined = Join(Drain(queue), random);
            return joined.Count == messages.Length && joined.Zip(messages).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second));
        }).Check(Config.QuickThrowOnFailure);
    }

    [Fact]
    public void UrgentMessagesOvertakeBulkBetweenFrames()
    {
        using var queue = new SendQueue(long.MaxValue, long.MaxValue);
        byte[] bulk = new byte[3_000_000];
        Assert.True(queue.TryAdd(FrameKind.Raft, default, urgent: false, s_sender, s_target, bulk));
        int first = queue.Take().Length;
        Assert.True(queue.Sent(first));
        Assert.True(queue.TryAdd(FrameKind.Raft, default, urgent: true, s_sender, s_target, [1]));
        Assert.True(queue.TryAdd(FrameKind.Raft, default, urgent: true, s_sender, s_target, [2]));
        Assert.InRange(first, 1, FrameHeader.MaxFrameBytes);
        Assert.Equal(2 * (FrameHeader.Size + 1), queue.Take().Length);
        Assert.True(queue.Sent(2 * (FrameHeader.Size + 1)));
        Assert.Equal(bulk.Length + MessageJoiner.LengthPrefix + (12 * FrameHeader.Size), first + Drain(queue).Sum(chunk => chunk.Length));
        Assert.Equal(0, queue.QueuedBytes);
    }

    [Fact]
    public void AllThatWaitsInALaneGoesInOneSend()
    {
        using var queue = new SendQueue(long.MaxValue, long.MaxValue);
        for (int i = 0; i < 1_000; i++) Assert.True(queue.TryAdd(FrameKind.Raft, default, false, s_sender, s_target, new byte[100]));
        Assert.Equal(1_000 * (FrameHeader.Size + 100), queue.Take().Length);
        Assert.True(queue.Take().IsEmpty);
        Assert.False(queue.IsIdle);
        Assert.False(queue.Sent(1_000 * (FrameHeader.Size + 100)));
        Assert.True(queue.Take().IsEmpty);
        Assert.True(queue.IsIdle);
    }

    [Fact]
    public void WhatWasSentInPartGoesOnBeforeAnythingElse()
    {
        using var queue = new SendQueue(long.MaxValue, long.MaxValue);
        Assert.True(queue.TryAdd(FrameKind.Raft, default, urgent: false, s_sender, s_target, [1, 2, 3]));
        byte[] whole = queue.Take().ToArray();
        Assert.True(queue.TryAdd(FrameKind.Raft, default, urgent: true, s_sender, s_target, [4]));
        Assert.True(queue.Sent(10));
        Assert.Equal(whole[10..], queue.Take().ToArray());
        Assert.True(queue.Sent(0));
        Assert.Equal(whole[10..], queue.Take().ToArray());
        Assert.True(queue.Sent(whole.Length - 10));
        Assert.Equal(FrameHeader.Size + 1, queue.Take().Length);
        Assert.False(queue.Sent(FrameHeader.Size + 1));
        Assert.Equal(0, queue.QueuedBytes);
    }

    [Fact]
    public void WhatIsBeingSentOutlivesTheQueue()
    {
        var queue = new SendQueue(long.MaxValue, long.MaxValue);
        Assert.True(queue.TryAdd(FrameKind.Raft, default, urgent: false, s_sender, s_target, [1, 2, 3]));
        ReadOnlyMemory<byte> taken = queue.Take();
        byte[] before = taken.ToArray();
        queue.Dispose();
        using (var other = new SendQueue(long.MaxValue, long.MaxValue))
        {
            Assert.True(other.TryAdd(FrameKind.Raft, default, urgent: false, s_sender, s_target, new byte[1_000]));
            Assert.Equal(before, taken.ToArray());
        }

        Assert.False(queue.Sent(0));
        Assert.True(queue.Take().IsEmpty);
    }

    [Fact]
    public void ALaneIsBoundedAndFreesWhatIsSent()
    {
        using var queue = new SendQueue(maxBulkBytes: 1_000, maxUrgentBytes: 100);
        byte[] message = new byte[500 - FrameHeader.Size];
        Assert.True(queue.TryAdd(FrameKind.Raft, default, false, s_sender, s_target, message));
        Assert.True(queue.TryAdd(FrameKind.Raft, default, false, s_sender, s_target, message));
        Assert.False(queue.TryAdd(FrameKind.Raft, default, false, s_sender, s_target, []));
        Assert.True(queue.TryAdd(FrameKind.Raft, default, true, s_sender, s_target, []));
        Assert.False(queue.TryAdd(FrameKind.Raft, default, true, s_sender, s_target, new byte[50]));
        Drain(queue);
        Assert.Equal(0, queue.QueuedBytes);
        Assert.True(queue.TryAdd(FrameKind.Raft, default, false, s_sender, s_target, message));
        queue.Close();
        Assert.False(queue.TryAdd(FrameKind.Raft, default, false, s_sender, s_target, []));
        Assert.Equal(500, queue.Take().Length);
    }

    [Fact]
    public void QueueingAllocatesNothingOnceItIsWarm()
    {
        using var queue = new SendQueue(long.MaxValue, long.MaxValue);
        byte[] message = new byte[1_000];
        Cycle(queue, message);
        // The runtime itself may allocate once on this thread when it recompiles a method; the queue would do so each time.
        long allocated = long.MaxValue;
        for (int attempt = 0; attempt < 3 && allocated != 0; attempt++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 100; i++) Cycle(queue, message);
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Assert.Equal(0, allocated);
    }

    [Fact]
    public void EveryFlippedBitOfAFrameIsSeen()
    {
        byte[] frame = RawPeer.Frame(FrameKind.Raft, [1, 2, 3], 4, 5);
        for (int bit = 0; bit < frame.Length * 8; bit++)
        {
            byte[] damaged = [.. frame];
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            using var parser = new FrameParser();
            damaged.CopyTo(parser.NextBuffer());
            parser.Advance(damaged.Length);
            Assert.NotEqual(FrameParser.Found.Frame, parser.Take(out _, out _));
        }
    }

    [Fact]
    public void BeforeTheHandshakeLargePayloadsAreRefusedByTheirHeader()
    {
        byte[] frame = RawPeer.Frame(FrameKind.Hello, new byte[FrameHeader.MaxPayloadBytesBeforeHandshake + 1]);
        using var before = new FrameParser();
        frame.AsSpan(0, FrameHeader.Size).CopyTo(before.NextBuffer().Span);
        before.Advance(FrameHeader.Size);
        Assert.Equal(FrameParser.Found.Damaged, before.Take(out _, out _));
        Assert.Equal("a frame of 4097 bytes where 4096 are allowed", before.Damage);
        Assert.Equal(FrameParser.Found.Damaged, before.Take(out _, out _));

        using var after = new FrameParser();
        after.HandshakeIsComplete();
        frame.CopyTo(after.NextBuffer());
        after.Advance(frame.Length);
        Assert.Equal(FrameParser.Found.Frame, after.Take(out _, out byte[] payload));
        Assert.Equal(4_097, payload.Length);
    }

    [Fact]
    public void FragmentsThatDoNotBelongTogetherAreRefused()
    {
        var joiner = new MessageJoiner();
        Assert.False(joiner.TryAdd(Header(FrameFlags.Continues, 1), [1], out _));
        Assert.False(joiner.TryAdd(Header(FrameFlags.MoreFollows, 5), [255, 255, 255, 255, 1], out _));
        Assert.False(joiner.TryAdd(Header(FrameFlags.MoreFollows, 5), [1, 0, 0, 0, 1], out _));
        Assert.False(joiner.TryAdd(Header(FrameFlags.MoreFollows, 4), [9, 0, 0, 0], out _));
        Assert.True(joiner.TryAdd(Header(FrameFlags.MoreFollows, 5), [3, 0, 0, 0, 1], out byte[]? message));
        Assert.Null(message);
        Assert.False(joiner.TryAdd(Header(FrameFlags.None, 1), [1], out _));
        Assert.False(joiner.TryAdd(Header(FrameFlags.Continues, 3), [1, 2, 3], out _));
        Assert.False(joiner.TryAdd(Header(FrameFlags.Continues, 1) with { Kind = FrameKind.Forward }, [1], out _));
        Assert.True(joiner.TryAdd(Header(FrameFlags.Continues, 2), [2, 3], out message));
        Assert.Equal([1, 2, 3], message);
    }

    private static FrameHeader Header(FrameFlags flags, int length) => new(FrameKind.Raft, flags, default, length, s_sender, s_target);

    private static void Cycle(SendQueue queue, byte[] message)
    {
        for (int i = 0; i < 20; i++) queue.TryAdd(FrameKind.Raft, default, i % 2 == 0, s_sender, s_target, message);
        while (queue.Take() is { IsEmpty: false } chunk) queue.Sent(chunk.Length);
    }

    private static List<byte[]> Drain(SendQueue queue)
    {
        var chunks = new List<byte[]>();
        while (queue.Take() is { IsEmpty: false } chunk)
        {
            chunks.Add(chunk.ToArray());
            queue.Sent(chunk.Length);
        }

        return chunks;
    }

    private static List<byte[]> Join(List<byte[]> chunks, Random random)
    {
        using var parser = new FrameParser();
        parser.HandshakeIsComplete();
        var joiner = new MessageJoiner();
        var messages = new List<byte[]>();
        using var whole = new MemoryStream();
        foreach (byte[] chunk in chunks) whole.Write(chunk);
        ReadOnlyMemory<byte> stream = whole.ToArray();
        while (true)
        {
            while (parser.Take(out FrameHeader header, out byte[] payload) == FrameParser.Found.Frame)
            {
                Assert.Equal(new ShardId(7), header.Shard);
                Assert.True(joiner.TryAdd(header, payload, out byte[]? message));
                if (message is not null) messages.Add(message);
            }

            if (stream.IsEmpty) return messages;
            Memory<byte> room = parser.NextBuffer();
            int count = Math.Min(Math.Min(room.Length, stream.Length), random.Next(1, random.Next(2) == 0 ? 50 : 100_000));
            stream[..count].CopyTo(room);
            stream = stream[count..];
            parser.Advance(count);
        }
    }
}
