namespace RaftQueue.Transport.Tests;

public sealed class HostileConnectionTests
{
    [Theory]
    [InlineData("garbage")]
    [InlineData("other kind")]
    [InlineData("not a hello")]
    [InlineData("too long")]
    [InlineData("absurd length")]
    [InlineData("bad checksum")]
    public async Task WhatIsNoHelloIsClosedAndReported(string what)
    {
        await using var one = new TestNode(1);
        await using var two = new TestNode(2);
        one.Start(two);
        using RawPeer raw = await RawPeer.DialAsync(one);
        byte[] bytes = what switch
        {
            "garbage" => [.. Enumerable.Range(0, 500).Select(i => (byte)(i * 7))],
            "other kind" => RawPeer.Frame(FrameKind.Raft, [1]),
            "not a hello" => RawPeer.Frame(FrameKind.Hello, [1, 2, 3]),
            "too long" => RawPeer.Frame(FrameKind.Hello, new byte[FrameHeader.MaxPayloadBytesBeforeHandshake + 1]).AsSpan(0, FrameHeader.Size).ToArray(),
            "absurd length" => Absurd(),
            _ => Flipped(),
        };
        await raw.WriteAsync(bytes);
        await raw.UntilClosedAsync();
        await one.Handler.UntilAsync("refused");
        Assert.Null(one.Handler.Events.Single().Peer);
        two.Start(one);
        await one.UntilConnectedAsync(two);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    [InlineData(60)]
    public async Task ACallerThatDoesNotFinishItsHelloIsClosed(int bytesSent)
    {
        await using var one = new TestNode(1, options: options => options with { HandshakeTimeoutMs = 200 });
        one.Start();
        using RawPeer raw = await RawPeer.DialAsync(one);
        await raw.WriteAsync(RawPeer.Frame(FrameKind.Hello, new byte[100]).AsSpan(0, bytesSent).ToArray());
        await raw.UntilClosedAsync();
        await one.Handler.UntilAsync("refused");
        Assert.EndsWith("no hello within 200 ms", one.Handler.Events.Single().Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("garbage")]
    [InlineData("absurd length")]
    [InlineData("bad checksum")]
    [InlineData("another sender")]
    [InlineData("a second hello")]
    [InlineData("fragment of nothing")]
    public async Task ANodeThatSendsGarbageLaterIsDisconnected(string what)
    {
        await using var one = new TestNode(1);
        await using var two = new TestNode(2);
        one.Network.UpdatePeers([two.Address]);
        one.Network.Start(one.Handler);
        using RawPeer raw = await RawPeer.HandshakenAsync(one, 2);
        await raw.WriteAsync(what switch
        {
            "garbage" => [.. Enumerable.Range(0, 500).Select(i => (byte)(i * 7))],
            "absurd length" => Absurd(),
            "bad checksum" => Flipped(),
            "another sender" => RawPeer.Frame(FrameKind.Raft, [1], sender: 201, target: 100),
            "a second hello" => RawPeer.Frame(FrameKind.Hello, [1], sender: 200, target: 100),
            _ => RawPeer.Frame(FrameKind.Raft, [1], 200, 100, FrameFlags.Continues),
        });
        await raw.UntilClosedAsync();
        await one.Handler.UntilAsync("disconnected");
        Assert.Equal("connected disconnected", string.Join(" ", one.Handler.Events.Select(item => item.What)));
    }

    [Fact]
    public async Task AFrameThatStallsHoldsUpNobodyElse()
    {
        await using var one = new TestNode(1);
        await using var two = new TestNode(2);
        await using var three = new TestNode(3);
        one.Network.UpdatePeers([two.Address, three.Address]);
        one.Network.Start(one.Handler);
        using RawPeer raw = await RawPeer.HandshakenAsync(one, 2);
        byte[] frame = RawPeer.Frame(FrameKind.Raft, new byte[200_000], 200, 100);
        await raw.WriteAsync(frame[..100_000]);
        three.Start(one);
        await one.UntilConnectedAsync(three);
        await three.UntilConnectedAsync(one);
        Assert.True(three.Send(one, [3]));
        await one.Handler.UntilAsync("received");
        Assert.Equal(three.Id, one.Handler.Events.Single(item => item.What == "received").Peer);
        await raw.WriteAsync(frame[100_000..]);
        await one.Handler.UntilAsync("received", 2);
    }

    [Fact]
    public async Task ADiallerLivesThroughAnswersOfAllKinds()
    {
        using var listener = new RawListener();
        await using var one = new TestNode(1, options: options => options with { HandshakeTimeoutMs = 200 });
        one.Network.UpdatePeers([listener.AddressOf(2)]);
        one.Network.Start(one.Handler);
        using (RawPeer garbage = await listener.AcceptAsync()) await garbage.WriteAsync(new byte[1_000]);
        using (RawPeer oversized = await listener.AcceptAsync())
            await oversized.WriteAsync(RawPeer.Frame(FrameKind.HelloReply, new byte[100_000]));
        using (RawPeer wrong = await listener.AcceptAsync()) await wrong.WriteAsync(RawPeer.Frame(FrameKind.HelloReply, [1]));
        using RawPeer silent = await listener.AcceptAsync();
        await silent.UntilClosedAsync();
        using RawPeer agreeing = await listener.AcceptAsync();
        await agreeing.AgreeAsync(2, 1);
        await one.Handler.UntilAsync("connected");
    }

    [Fact]
    public async Task InboundConnectionsAreBounded()
    {
        await using var one = new TestNode(1, options: options => options with { HandshakeTimeoutMs = 60_000 });
        await using var two = new TestNode(2);
        one.Network.UpdatePeers([two.Address]);
        one.Network.Start(one.Handler);
        var idle = new List<RawPeer>();
        for (int i = 0; i < 64; i++) idle.Add(await RawPeer.DialAsync(one));
        using RawPeer tooMany = await RawPeer.DialAsync(one);
        await tooMany.UntilClosedAsync();
        await one.Handler.UntilAsync("refused");
        Assert.EndsWith("64 inbound connections are open already", one.Handler.Events.Single().Text, StringComparison.Ordinal);
        Assert.Equal(64, one.Network.InboundConnections);
        foreach (RawPeer peer in idle) peer.Dispose();
        await one.Handler.UntilAsync("refused", 65);
        using RawPeer next = await RawPeer.HandshakenAsync(one, 2);
        await one.Handler.UntilAsync("connected");
    }

    [Fact]
    public async Task WhatWaitsForASlowPeerIsBoundedAndUrgentMessagesOvertakeIt()
    {
        await using var one = new TestNode(1);
        await using var two = new TestNode(2);
        one.Network.UpdatePeers([two.Address]);
        one.Network.Start(one.Handler);
        using RawPeer slow = await RawPeer.HandshakenAsync(one, 2);
        await one.Handler.UntilAsync("connected");
        byte[] bulk = new byte[64 * 1024];
        int accepted = 0;
        // The kernel's own buffers take a few MiB; while they fill, the queue may be full for a moment and then not.
        for (int refusals = 0; refusals < 50; refusals++)
        {
            while (one.Send(two, bulk)) accepted++;
            await Task.Delay(2);
        }

        long acceptedBytes = (long)accepted * (bulk.Length + FrameHeader.Size);
        Assert.InRange(acceptedBytes, 31L << 20, 64L << 20);
        Assert.True(one.Send(two, [42], urgent: true));
        int bulkBefore = 0;
        while ((await slow.ReadAsync())!.Value.Payload is { Length: > 1 }) bulkBefore++;
        Assert.True(bulkBefore < accepted, $"the urgent message came after all {accepted} bulk ones");
        for (int i = bulkBefore; i < accepted; i++) Assert.Equal(bulk.Length, (await slow.ReadAsync())!.Value.Payload.Length);
        Assert.True(one.Send(two, bulk));
    }

    [Fact]
    public async Task SmallMessagesThatASlowPeerDoesNotTakeArriveWholeAndInOrder()
    {
        await using var one = new TestNode(1);
        await using var two = new TestNode(2);
        one.Network.UpdatePeers([two.Address]);
        one.Network.Start(one.Handler);
        using RawPeer slow = await RawPeer.HandshakenAsync(one, 2);
        await one.Handler.UntilAsync("connected");
        int accepted = 0;
        // A length that divides no buffer of the kernel: what does not fit is sent in part.
        while (one.Send(two, Numbered(accepted))) accepted++;
        Assert.True(accepted * 9_001L > 32L << 20, $"{accepted} messages");
        for (int i = 0; i < accepted; i++)
        {
            Assert.True((await slow.ReadAsync())!.Value.Payload.AsSpan().SequenceEqual(Numbered(i)), $"message {i} of {accepted}");
        }
    }

    private static byte[] Numbered(int number)
    {
        byte[] payload = new byte[9_001];
        new Random(number).NextBytes(payload);
        return payload;
    }

    private static byte[] Absurd()
    {
        byte[] frame = RawPeer.Frame(FrameKind.Hello, [1], 200, 100);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(8), uint.MaxValue);
        return frame;
    }

    private static byte[] Flipped()
    {
        byte[] frame = RawPeer.Frame(FrameKind.Hello, [1], 200, 100);
        frame[^1] ^= 1;
        return frame;
    }
}
