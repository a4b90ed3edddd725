using RaftQueue.Primitives;

namespace RaftQueue.Transport.Tests;

public sealed class DuplicateConnectionTests
{
    [Fact]
    public async Task TheLowerIdGivesUpItsOwnDialForTheHigherOnes()
    {
        using var listener = new RawListener();
        await using var one = new TestNode(1);
        one.Network.UpdatePeers([listener.AddressOf(2)]);
        one.Network.Start(one.Handler);
        using RawPeer dialledByOne = await listener.AcceptAsync();
        Assert.Equal(FrameKind.Hello, (await dialledByOne.ReadAsync())!.Value.Header.Kind);
        using RawPeer dialledByTwo = await RawPeer.HandshakenAsync(one, 2);
        Assert.Null(await dialledByOne.ReadAsync());
        await one.Handler.UntilAsync("connected");
        Assert.True(one.Network.Send(new NodeId(2), FrameKind.Raft, default, urgent: false, [7]));
        Assert.Equal([7], (await dialledByTwo.ReadAsync())!.Value.Payload);
        Assert.Single(one.Handler.Events);
    }

    [Fact]
    public async Task TheHigherIdRefusesTheLowerOnesDialWhileItsOwnIsUnderWay()
    {
        using var listener = new RawListener();
        await using var two = new TestNode(2);
        two.Network.UpdatePeers([listener.AddressOf(1)]);
        two.Network.Start(two.Handler);
        using RawPeer dialledByTwo = await listener.AcceptAsync();
        using RawPeer dialledByOne = await RawPeer.DialAsync(two);
        await dialledByOne.HelloAsync(TestNode.HandshakeOf(1, 2));
        await AssertDuplicateAsync(dialledByOne);
        Assert.Empty(two.Handler.Events);
        await dialledByTwo.AgreeAsync(1, 2);
        await two.Handler.UntilAsync("connected");
    }

    [Fact]
    public async Task AConnectionInUseGivesWayOnlyToACallerThatInsists()
    {
        using var listener = new RawListener();
        await using var one = new TestNode(1);
        one.Network.UpdatePeers([listener.AddressOf(2)]);
        one.Network.Start(one.Handler);
        using RawPeer first = await listener.AcceptAsync();
        await first.AgreeAsync(2, 1);
        await one.Handler.UntilAsync("connected");

        using RawPeer second = await RawPeer.DialAsync(one);
        await second.HelloAsync(TestNode.HandshakeOf(2, 1));
        await AssertDuplicateAsync(second);
        Assert.Single(one.Handler.Events);

        await first.WriteAsync(RawPeer.Frame(FrameKind.Raft, [1], 200, 100));
        await one.Handler.UntilAsync("received");
        using RawPeer third = await RawPeer.HandshakenAsync(one, 2, insists: true);
        Assert.Null(await first.ReadAsync());
        await third.WriteAsync(RawPeer.Frame(FrameKind.Raft, [3], 200, 100));
        await one.Handler.UntilAsync("received", 2);
        Assert.Equal(
            "connected  received 1 disconnected  connected  received 3",
            string.Join(" ", one.Handler.Events.Select(item => $"{item.What} {string.Join(",", item.Payload)}")));
    }

    [Fact]
    public async Task ADiallerThatIsToldOfAConnectionItDoesNotHaveInsistsNextTime()
    {
        using var listener = new RawListener();
        await using var one = new TestNode(1);
        one.Network.UpdatePeers([listener.AddressOf(2)]);
        one.Network.Start(one.Handler);
        using RawPeer refused = await listener.AcceptAsync();
        Assert.False(await InsistsAsync(refused));
        using var goodbye = new MessagePack.PooledBuffer();
        new GoodbyeMessage(GoodbyeMessage.Cause.Duplicate, "").Encode(goodbye);
        await refused.WriteAsync(RawPeer.Frame(FrameKind.Goodbye, goodbye.WrittenSpan));
        using RawPeer next = await listener.AcceptAsync();
        Assert.True(await InsistsAsync(next));
        Assert.Empty(one.Handler.Events);
    }

    [Fact]
    public async Task WhoeverDialsFirstExactlyOneConnectionStays()
    {
        for (int round = 0; round < 25; round++)
        {
            await using var one = new TestNode(1);
            await using var two = new TestNode(2);
            using var together = new Barrier(2);
            await Task.WhenAll(Task.Run(() => StartTogether(together, one, two)), Task.Run(() => StartTogether(together, two, one)));
            await one.UntilConnectedAsync(two);
            await two.UntilConnectedAsync(one);
            await Task.WhenAll(ExchangeAsync(one, two), ExchangeAsync(two, one));
            await SettledAsync(() => one.Network.InboundConnections + two.Network.InboundConnections == 1);
            Assert.True(one.Handler.IsConnected(two.Id) && two.Handler.IsConnected(one.Id));
        }
    }

    private static void StartTogether(Barrier together, TestNode node, TestNode other)
    {
        node.Network.UpdatePeers([other.Address]);
        together.SignalAndWait();
        node.Network.Start(node.Handler);
    }

    /// <summary>Sends until something arrives: a connection may be replaced once in the beginning.</summary>
    private static async Task ExchangeAsync(TestNode from, TestNode to)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (to.Handler.Count("received") == 0)
        {
            from.Send(to, [1]);
            await Task.Delay(5, limit.Token);
        }
    }

    private static async Task SettledAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!condition()) await Task.Delay(5, limit.Token);
    }

    private static async Task AssertDuplicateAsync(RawPeer peer)
    {
        (FrameHeader header, byte[] payload) = (await peer.ReadAsync())!.Value;
        Assert.Equal(FrameKind.Goodbye, header.Kind);
        Assert.True(GoodbyeMessage.TryDecode(payload, out GoodbyeMessage? goodbye));
        Assert.Equal(GoodbyeMessage.Cause.Duplicate, goodbye.Why);
        Assert.Null(await peer.ReadAsync());
    }

    private static async Task<bool> InsistsAsync(RawPeer peer)
    {
        (FrameHeader header, byte[] payload) = (await peer.ReadAsync())!.Value;
        Assert.Equal(FrameKind.Hello, header.Kind);
        Assert.True(HelloMessage.TryDecode(payload, out HelloMessage? hello));
        return hello.Insists;
    }
}
