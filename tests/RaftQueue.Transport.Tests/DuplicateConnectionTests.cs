using System.Net.Sockets;
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
        await dialledByTwo.HelloArrivesAsync();
        using RawPeer dialledByOne = await RawPeer.DialAsync(two);
        await dialledByOne.HelloAsync(TestNode.HandshakeOf(1, 2));
        await AssertDuplicateAsync(dialledByOne);
        Assert.Empty(two.Handler.Events);
        await dialledByTwo.AnswerAsync(1, 2);
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

    [Fact]
    public async Task NothingOfAReplacedConnectionIsHeardAnyMore()
    {
        var options = new TransportOptions { Self = new NodeId(1), ListenAddress = "127.0.0.1:0" };
        var handler = new RecordingHandler(target => TestNode.HandshakeOf(1, target.Value));
        using var link = new PeerLink(new NodeId(2), "127.0.0.1:1", options, handler);
        using var listener = new RawListener();
        (PeerConnection old, Socket oldEnd) = await listener.PairAsync(options);
        (PeerConnection young, Socket youngEnd) = await listener.PairAsync(options);
        using (oldEnd)
        using (youngEnd)
        {
            Task first = link.AcceptAsync(old, Hello(insists: false), TestNode.HandshakeOf(1, 2), CancellationToken.None);
            await handler.UntilAsync("connected");
            Task second = link.AcceptAsync(young, Hello(insists: true), TestNode.HandshakeOf(1, 2), CancellationToken.None);
            await handler.UntilAsync("connected", 2);
            await first;
            var header = new FrameHeader(FrameKind.Raft, FrameFlags.None, default, 1, new Incarnation(200), new Incarnation(100));
            link.Received(old, header, new byte[] { 1 });
            link.Closed(old, orderly: true, "late");
            link.Received(young, header, new byte[] { 2 });
            Assert.Equal("connected disconnected connected received", string.Join(" ", handler.Events.Select(item => item.What)));
            Assert.Equal([2], handler.Events[^1].Payload);
            young.Abort();
            await second;
        }

        Assert.Null(handler.Broken);
        old.Dispose();
        young.Dispose();
    }

    [Fact]
    public async Task AfterAnyAmountOfComingAndGoingAllAreConnectedOnceAgain()
    {
        int seed = Environment.GetEnvironmentVariable("RAFTQUEUE_SEED") is { Length: > 0 } text ? int.Parse(text) : Random.Shared.Next();
        string replay = $"RAFTQUEUE_SEED={seed} dotnet test tests/RaftQueue.Transport.Tests --filter {nameof(AfterAnyAmountOfComingAndGoingAllAreConnectedOnceAgain)}";
        var random = new Random(seed);
        TestNode[] nodes = [.. Enumerable.Range(1, 3).Select(id => new TestNode(id, options: Quick))];
        try
        {
            foreach (TestNode node in nodes) node.Start(nodes);
            for (int step = 0; step < 200; step++)
            {
                TestNode node = nodes[random.Next(3)];
                node.Network.UpdatePeers([.. nodes.Where(_ => random.Next(3) > 0).Select(other => other.Address)]);
                foreach (TestNode other in nodes) node.Send(other, new byte[random.Next(400_000)], urgent: random.Next(2) == 0);
                if (random.Next(4) == 0) await Task.Delay(random.Next(30));
            }

            foreach (TestNode node in nodes) node.Network.UpdatePeers([.. nodes.Select(other => other.Address)]);
            await SettledAsync(() => nodes.All(node => nodes.All(other => other == node || node.Handler.IsConnected(other.Id)))
                && nodes.Sum(node => node.Network.InboundConnections) == 3);
        }
        catch (Exception exception)
        {
            Assert.Fail($"{replay}\n{exception}");
        }

        foreach (TestNode node in nodes) await node.DisposeAsync();
    }

    private static TransportOptions Quick(TransportOptions options) =>
        options with { MinRetryMs = 1, MaxRetryMs = 20, CloseTimeoutMs = 200, HandshakeTimeoutMs = 500 };

    private static HelloMessage Hello(bool insists) => new(ConnectionPurpose.Peer, insists, TestNode.HandshakeOf(2, 1));

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
