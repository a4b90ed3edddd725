using FsCheck;
using FsCheck.Fluent;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;

namespace RaftQueue.Transport.Tests;

/// <summary>Every decoder of bytes from peers: no exception, no hang, no allocation out of proportion.</summary>
public sealed class FuzzTests
{
    private const int AllowedPerByte = 64;
    private const int AllowedAlways = 512 * 1024;
    private static readonly Config s_config = Config.QuickThrowOnFailure.WithMaxTest(2_000);

    private static readonly Gen<byte[]> s_garbage = Gen.Sized(size => Gen.ArrayOf(ArbMap.Default.GeneratorFor<byte>(), size * 4));

    [Fact]
    public void Messages() => Fuzz(
        Wire.Messages.ArrayOf().Select(messages => MessageCodecTests.Encode(messages)),
        bytes => MessageCodec.TryDecode(bytes, []));

    [Fact]
    public void Handshakes() => Fuzz(Wire.Handshakes.Select(item => Encode(item.Encode)), bytes => Handshake.TryDecode(bytes, out _));

    [Fact]
    public void Hellos() => Fuzz(
        Wire.Handshakes.Select(item => Encode(new HelloMessage(ConnectionPurpose.Transfer, true, item).Encode)),
        bytes => HelloMessage.TryDecode(bytes, out _));

    [Fact]
    public void Goodbyes() => Fuzz(
        Gen.Elements("", "why", new string('x', 300)).Select(why => Encode(new GoodbyeMessage(GoodbyeMessage.Cause.Refused, why).Encode)),
        bytes => GoodbyeMessage.TryDecode(bytes, out _));

    [Fact]
    public void BootstrapAnswers() => Fuzz(
        Gen.ArrayOf(Gen.Elements(true, false)).Select(blank => Encode(new BootstrapAnswer
        {
            ClusterId = "c", Incarnation = new Incarnation(5), MembersDigest = 6, Shards = blank.Length, BlankShards = blank,
        }.Encode)),
        bytes => BootstrapAnswer.TryDecode(bytes, out _));

    [Fact]
    public void TransferRequests() => Fuzz(
        Gen.Choose(0, ushort.MaxValue).Select(shard => Encode(new TransferRequest(new ShardId((ushort)shard), new LogIndex(9)).Encode)),
        bytes => TransferRequest.TryDecode(bytes, out _));

    [Fact]
    public void TransferHeads() => Fuzz(
        s_garbage.Select(info => Encode(new TransferHead(TransferOutcome.Opened, info).Encode)),
        bytes => TransferHead.TryDecode(bytes, out _));

    [Fact]
    public void PageQuestions() => Fuzz(
        Wire.PageNames.ArrayOf().Select(names => EncodeQuestion(names.AsSpan(0, Math.Min(names.Length, TransferLimits.MaxNames)))),
        bytes => PageQuestion.TryDecode(bytes, out _));

    [Fact]
    public void PageAnswers()
    {
        PageName[] names = [new(3, 0, 5), new(0, 7, 9), new(1, 2, 3)];
        Fuzz(
            s_garbage.Select(content => (byte[])[0, 1, 0, 1, .. content, .. new byte[Math.Max(0, 4096 - content.Length)]]),
            bytes => PageAnswer.TryDecode(bytes, names) is not null);
    }

    [Fact]
    public void Frames() => Fuzz(
        from first in s_garbage
        from second in s_garbage
        from flags in Gen.Choose(0, 7)
        select (byte[])[.. RawPeer.Frame(FrameKind.Raft, first, flags: (FrameFlags)flags), .. RawPeer.Frame(FrameKind.Forward, second, flags: (FrameFlags)flags)],
        Parse,
        allowedAlways: FrameHeader.MaxMessageBytes + AllowedAlways);

    private static byte[] EncodeQuestion(ReadOnlySpan<PageName> names)
    {
        byte[] bytes = new byte[PageQuestion.SizeOf(names.Length)];
        PageQuestion.Encode(names, bytes);
        return bytes;
    }

    private static byte[] Encode(Action<PooledBuffer> encode)
    {
        using var buffer = new PooledBuffer();
        encode(buffer);
        return buffer.WrittenSpan.ToArray();
    }

    private static void Fuzz(Gen<byte[]> valid, Func<byte[], bool> decode, long allowedAlways = AllowedAlways)
    {
        Prop.ForAll(s_garbage.ToArbitrary(), bytes => Survives(bytes, decode, allowedAlways)).Check(s_config);
        Prop.ForAll(Wire.Damaged(valid).ToArbitrary(), bytes => Survives(bytes, decode, allowedAlways)).Check(s_config);
        bool anyAccepted = false;
        Prop.ForAll(valid.ToArbitrary(), bytes =>
        {
            anyAccepted |= decode(bytes);
            return true;
        }).Check(Config.QuickThrowOnFailure);
        Assert.True(anyAccepted, "the generator makes nothing that the decoder takes");
    }

    private static bool Survives(byte[] bytes, Func<byte[], bool> decode, long allowedAlways)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        decode(bytes);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, allowedAlways + ((long)bytes.Length * AllowedPerByte));
        return true;
    }

    private static bool Parse(byte[] stream)
    {
        using var parser = new FrameParser();
        var joiner = new MessageJoiner();
        bool any = false;
        while (true)
        {
            FrameParser.Found found = parser.Take(out FrameHeader header, out byte[] payload);
            if (found == FrameParser.Found.Damaged) return any;
            if (found == FrameParser.Found.Frame)
            {
                any = true;
                if (!joiner.TryAdd(header, payload, out _)) return any;
                continue;
            }

            if (stream.Length == 0) return any;
            Memory<byte> room = parser.NextBuffer();
            int count = Math.Min(room.Length, stream.Length);
            stream.AsSpan(0, count).CopyTo(room.Span);
            stream = stream[count..];
            parser.Advance(count);
        }
    }
}
