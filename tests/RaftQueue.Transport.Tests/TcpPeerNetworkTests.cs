using RaftQueue.Primitives;

namespace RaftQueue.Transport.Tests;

public sealed class TcpPeerNetworkTests
{
    [Fact]
    public async Task MessagesOfAllSizesArriveWholeAndInOrder()
    {
        await using var one = new TestNode(1);
        await using var two = new TestNode(2);
        one.Start(two);
        two.Start(one);
        await one.UntilConnectedAsync(two);
        await two.UntilConnectedAsync(one);
        var random = new Random(1);
        byte[][] sent = [.. new[] { 0, 1, 100, 60_000, 70_000, FrameHeader.MaxPayloadBytes, FrameHeader.MaxPayloadBytes + 1, 3_000_000, FrameHeader.MaxMessageBytes, 5 }
            .Select(size => { byte[] bytes = new byte[size]; random.NextBytes(bytes); return bytes; })];
        foreach (byte[] payload in sent) Assert.True(one.Send(two, payload));
        await two.Handler.UntilAsync("received", sent.Length);
        byte[][] got = [.. two.Handler.Events.Where(item => item.What == "received").Select(item => item.Payload)];
        for (int i = 0; i < sent.Length; i++) Assert.True(sent[i].AsSpan().SequenceEqual(got[i]), $"message {i}");
        Assert.All(two.Handler.Events.Where(item => item.What == "received"), item => Assert.Equal("shard 3", item.Text));
        Assert.False(one.Send(two, new byte[FrameHeader.MaxMessageBytes + 1]));
        Assert.True(two.Send(one, [9], urgent: true, FrameKind.Forward));
        await one.Handler.UntilAsync("received");
        Assert.Equal(FrameKind.Forward, one.Handler.Events.Single(item => item.What == "received").Kind);
    }

    [Fact]
    public async Task ANodeThatStopsSaysGoodbyeAndIsFoundAgain()
    {
        await using var one = new TestNode(1);
        var two = new TestNode(2);
        int port = two.Network.LocalEndPoint.Port;
        one.Start(two);
        two.Start(one);
        await one.UntilConnectedAsync(two);
        await two.UntilConnectedAsync(one);
        Assert.True(two.Send(one, [1]));
        await two.DisposeAsync();
        await one.Handler.UntilAsync("disconnected");

        // When both dial at once, the dial that is given up shows as a caller without a name.
        List<RecordingHandler.Event> ofTwo = one.Handler.Events.FindAll(item => item.Peer == two.Id);
        Assert.Equal("connected received disconnected", string.Join(" ", ofTwo.Select(item => item.What)));
        Assert.Equal("orderly", ofTwo[2].Text);
        Assert.Equal("orderly", two.Handler.Events.Single(item => item.What == "disconnected").Text);
        Assert.False(one.Send(two, [1]));

        await using var again = new TestNode(2, port: port);
        again.Start(one);
        await one.Handler.UntilAsync("connected", 2);
        await again.UntilConnectedAsync(one);
        Assert.True(again.Send(one, [2]));
        await one.Handler.UntilAsync("received", 2);
    }

    [Fact]
    public async Task AConnectionThatIsCutIsReportedAsBroken()
    {
        await using var one = new TestNode(1);
        await using var two = new TestNode(2);
        one.Start(two);
        RawPeer cut = await RawPeer.HandshakenAsync(one, 2);
        await one.Handler.UntilAsync("connected");
        cut.Dispose();
        await one.Handler.UntilAsync("disconnected");
        Assert.Equal("broken", one.Handler.Events.Single(item => item.What == "disconnected").Text);
        two.Start(one);
        await one.Handler.UntilAsync("connected", 2);
    }

    [Fact]
    public async Task PeersComeAndGoAtRunTime()
    {
        await using var one = new TestNode(1);
        await using var two = new TestNode(2);
        await using var three = new TestNode(3);
        one.Start(two);
        two.Start(one);
        three.Start(one, two);
        await one.UntilConnectedAsync(two);
        Assert.False(one.Send(three, [1]));
        one.Network.UpdatePeers([one.Address, three.Address]);
        await one.UntilConnectedAsync(three);
        await one.Handler.UntilAsync("disconnected");
        await two.Handler.UntilAsync("disconnected");
        Assert.All(new[] { one, two }, node => Assert.Equal("orderly", node.Handler.Events.First(item => item.What == "disconnected").Text));
        Assert.False(one.Send(two, [1]));
        Assert.True(one.Send(three, [1]));
        await three.Handler.UntilAsync("received");
        await two.Handler.UntilAsync(events => events.Any(item => item.Text == "node 2 is not a member on node 1"));

        one.Network.UpdatePeers([two.Address]);
        one.Network.UpdatePeers([two.Address, three.Address]);
        await one.UntilConnectedAsync(two);
        await one.Handler.UntilAsync(_ => one.Handler.IsConnected(three.Id));
        await three.Handler.UntilAsync(_ => three.Handler.IsConnected(one.Id));
        await three.Handler.UntilAsync(_ => three.Send(one, [3]));
        await one.Handler.UntilAsync("received");
    }

    [Fact]
    public async Task ABootstrapQuestionIsAnsweredWhateverTheIncarnations()
    {
        await using var one = new TestNode(1);
        await using var two = new TestNode(2);
        two.Handler.Answer = new BootstrapAnswer
        {
            Incarnation = new Incarnation(200), ClusterId = "c", Shards = 3, MembersDigest = 99, BlankShards = [true, false, true],
        };
        one.Network.ExpectIncarnation(two.Id, new Incarnation(77));
        two.Network.ExpectIncarnation(one.Id, new Incarnation(78));
        one.Start(two);
        two.Start(one);
        await one.UntilConnectedAsync(two);
        Assert.True(one.Send(two, [], urgent: true, FrameKind.BootstrapAsk));
        await one.Handler.UntilAsync("received");
        RecordingHandler.Event got = one.Handler.Events.Single(item => item.What == "received");
        Assert.Equal(FrameKind.BootstrapAnswer, got.Kind);
        Assert.True(BootstrapAnswer.TryDecode(got.Payload, out BootstrapAnswer? answer));
        Assert.Equal([true, false, true], answer.BlankShards);
        Assert.Equal((new Incarnation(200), "c", 3, 99UL), (answer.Incarnation, answer.ClusterId, answer.Shards, answer.MembersDigest));
        Assert.False(answer.IsBlank);
    }

    [Fact]
    public async Task FramesOfAnUnexpectedIncarnationDoNotCount()
    {
        await using var one = new TestNode(1);
        await using var two = new TestNode(2);
        one.Start(two);
        two.Start(one);
        await one.UntilConnectedAsync(two);
        await two.UntilConnectedAsync(one);
        Assert.Equal(two.Handler.OurHandshake(one.Id).Incarnation.ToString(), one.Handler.Events.Single(item => item.What == "connected").Text);

        two.Network.ExpectIncarnation(one.Id, new Incarnation(1));
        Assert.False(two.Send(one, [1]));
        Assert.True(one.Send(two, [1]));
        Assert.True(one.Send(two, [], urgent: false, FrameKind.BootstrapAsk));
        await one.Handler.UntilAsync("received");
        Assert.Equal(0, two.Handler.Count("received"));

        two.Network.ExpectIncarnation(one.Id, new Incarnation(100));
        Assert.True(two.Send(one, [2]));
        Assert.True(one.Send(two, [3]));
        await two.Handler.UntilAsync("received");
        Assert.Equal([3], two.Handler.Events.Single(item => item.What == "received").Payload);
    }

    [Fact]
    public async Task FramesMeantForAnotherIncarnationOfThisNodeAreDropped()
    {
        await using var one = new TestNode(1);
        await using var two = new TestNode(2);
        one.Network.UpdatePeers([two.Address]);
        one.Network.Start(one.Handler);
        using RawPeer raw = await RawPeer.HandshakenAsync(one, 2);
        await raw.WriteAsync(RawPeer.Frame(FrameKind.Raft, [1], sender: 200, target: 99));
        await raw.WriteAsync(RawPeer.Frame(FrameKind.Raft, [2], sender: 200, target: 100));
        await one.Handler.UntilAsync("received");
        Assert.Equal([2], one.Handler.Events.Single(item => item.What == "received").Payload);
    }

    [Fact]
    public async Task AWipedNodeIsLearnedByItsHandshake()
    {
        await using var one = new TestNode(1);
        await using var two = new TestNode(2, mine => mine with { Incarnation = new Incarnation(555), Blank = true });
        one.Network.ExpectIncarnation(two.Id, new Incarnation(200));
        one.Start(two);
        two.Start(one);
        await one.UntilConnectedAsync(two);
        Assert.Equal(new Incarnation(555).ToString(), one.Handler.Events.Single(item => item.What == "connected").Text);
        Assert.False(one.Send(two, [1]));
        one.Network.ExpectIncarnation(two.Id, new Incarnation(555));
        Assert.True(one.Send(two, [1]));
        await two.Handler.UntilAsync("received");
    }

    [Fact]
    public async Task ANameIsResolvedWhenItIsDialled()
    {
        await using var one = new TestNode(1);
        await using var two = new TestNode(2);
        one.Network.UpdatePeers([new PeerAddress(two.Id, "no-such-host.invalid:1")]);
        one.Network.Start(one.Handler);
        two.Network.UpdatePeers([new PeerAddress(one.Id, "127.0.0.1:1")]);
        two.Network.Start(two.Handler);
        one.Network.UpdatePeers([new PeerAddress(two.Id, $"localhost:{two.Network.LocalEndPoint.Port}")]);
        await one.UntilConnectedAsync(two);
    }

    [Fact]
    public async Task AnExceptionOfTheHandlerIsNotSwallowed()
    {
        var bugs = new System.Collections.Concurrent.BlockingCollection<Exception>();
        await using var one = new TestNode(1);
        var two = new TcpPeerNetwork(new TransportOptions { Self = new NodeId(2), ListenAddress = "127.0.0.1:0", OnBug = bugs.Add });
        one.Network.UpdatePeers([new PeerAddress(new NodeId(2), two.LocalEndPoint.ToString())]);
        one.Network.Start(one.Handler);
        two.UpdatePeers([one.Address]);
        two.Start(new ThrowingHandler());
        await one.Handler.UntilAsync("connected");
        Assert.True(one.Network.Send(new NodeId(2), FrameKind.Raft, default, urgent: false, [1]));
        Assert.True(bugs.TryTake(out Exception? bug, TimeSpan.FromSeconds(30)));
        Assert.Equal("a bug", bug.Message);
        await two.DisposeAsync();
    }

    [Theory]
    [InlineData("node1:7001", "node1", 7001)]
    [InlineData("[::1]:7001", "::1", 7001)]
    [InlineData("10.0.0.1:0", "10.0.0.1", 0)]
    [InlineData("*:5", "*", 5)]
    public void AnAddressIsHostAndPort(string text, string host, int port)
    {
        Assert.True(HostAndPort.TryParse(text, out HostAndPort parsed));
        Assert.Equal(new HostAndPort(host, port), parsed);
    }

    [Theory]
    [InlineData("")]
    [InlineData("node1")]
    [InlineData(":1")]
    [InlineData("node1:")]
    [InlineData("node1:65536")]
    [InlineData("node1:-1")]
    [InlineData("::1:7001")]
    [InlineData("[]:1")]
    public void WhatIsNoAddressIsRefused(string text) => Assert.False(HostAndPort.TryParse(text, out _));

    [Fact]
    public async Task TheHandlerMayUseTheNetworkInsideACallback()
    {
        await using var one = new TestNode(1);
        await using var two = new TestNode(2);
        var echo = new EchoHandler(one.Handler, one.Network);
        one.Network.UpdatePeers([two.Address]);
        one.Network.Start(echo);
        two.Start(one);
        await two.UntilConnectedAsync(one);
        for (int i = 0; i < 100; i++) Assert.True(two.Send(one, [(byte)i]));
        await two.Handler.UntilAsync("received", 101);
    }

    private sealed class EchoHandler(RecordingHandler inner, TcpPeerNetwork network) : IPeerHandler
    {
        public void Connected(NodeId peer, Handshake theirs)
        {
            inner.Connected(peer, theirs);
            network.ExpectIncarnation(peer, theirs.Incarnation);
            network.Send(peer, FrameKind.Raft, default, urgent: true, "hello"u8);
        }

        public void Disconnected(NodeId peer, bool orderly) => inner.Disconnected(peer, orderly);

        public void Refused(NodeId? peer, string reason) => inner.Refused(peer, reason);

        public void Received(NodeId peer, FrameKind kind, ShardId shard, ReadOnlyMemory<byte> payload)
        {
            inner.Received(peer, kind, shard, payload);
            network.Send(peer, kind, shard, urgent: false, payload.Span);
        }

        public BootstrapAnswer AnswerBootstrap() => inner.AnswerBootstrap();

        public Handshake OurHandshake(NodeId target) => inner.OurHandshake(target);
    }

    private sealed class ThrowingHandler : IPeerHandler
    {
        public void Connected(NodeId peer, Handshake theirs)
        {
        }

        public void Disconnected(NodeId peer, bool orderly)
        {
        }

        public void Refused(NodeId? peer, string reason)
        {
        }

        public void Received(NodeId peer, FrameKind kind, ShardId shard, ReadOnlyMemory<byte> payload) =>
            throw new InvalidOperationException("a bug");

        public BootstrapAnswer AnswerBootstrap() => throw new NotSupportedException();

        public Handshake OurHandshake(NodeId target) => TestNode.HandshakeOf(2, target.Value);
    }
}
