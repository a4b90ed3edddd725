using FsCheck;
using FsCheck.Fluent;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;

namespace RaftQueue.Transport.Tests;

public sealed class HandshakeTests
{
    public static readonly TheoryData<string, string, string> Differences = new()
    {
        { "ClusterId", "c", "d" },
        { "Shards", "4", "5" },
        { "Durability", "quorum-fsync", "quorum-memory" },
        { "HeartbeatMs", "50", "60" },
        { "ElectionTimeoutMs", "300", "500" },
        { "EntryFormat", EntryHeader.CurrentFormat.ToString(), "7" },
        { "ApplyLevel", EntryHeader.CurrentApplyLevel.ToString(), "7" },
        { "CheckpointFormat", "1", "7" },
        { "ProtocolVersion", "1", "7" },
    };

    internal static Handshake Change(Handshake handshake, string setting) => setting switch
    {
        "ClusterId" => handshake with { ClusterId = "d" },
        "Shards" => handshake with { Shards = 5 },
        "Durability" => handshake with { Durability = "quorum-memory" },
        "HeartbeatMs" => handshake with { HeartbeatMs = 60 },
        "ElectionTimeoutMs" => handshake with { ElectionTimeoutMs = 500 },
        "EntryFormat" => handshake with { EntryFormat = 7 },
        "ApplyLevel" => handshake with { ApplyLevel = 7 },
        "CheckpointFormat" => handshake with { CheckpointFormat = 7 },
        "ProtocolVersion" => handshake with { ProtocolVersion = 7 },
        _ => throw new ArgumentOutOfRangeException(nameof(setting)),
    };

    [Theory]
    [MemberData(nameof(Differences))]
    public async Task ADifferenceIsNamedOnBothSides(string setting, string one, string two)
    {
        await using var first = new TestNode(1);
        await using var second = new TestNode(2, mine => Change(mine, setting));
        first.Start(second);
        second.Start(first);
        await first.Handler.UntilAsync(events => events.Any(item => item.What == "refused" && item.Peer == second.Id));
        await second.Handler.UntilAsync(events => events.Any(item => item.What == "refused" && item.Peer == first.Id));
        Assert.All(first.Handler.Events, item => Assert.Equal($"{setting} is {one} here and {two} on node 2", item.Text));
        Assert.All(second.Handler.Events, item => Assert.Equal($"{setting} is {two} here and {one} on node 1", item.Text));
        Assert.False(first.Send(second, [1]));
    }

    [Fact]
    public async Task AnAddressThatLeadsToTheWrongNodeIsNamedOnBothSides()
    {
        await using var one = new TestNode(1);
        await using var two = new TestNode(2);
        two.Start();
        one.Network.UpdatePeers([new PeerAddress(new NodeId(3), two.Address.Address)]);
        one.Network.Start(one.Handler);
        await one.Handler.UntilAsync("refused");
        await two.Handler.UntilAsync("refused");
        Assert.Equal("node 2 answers where node 3 was looked for", one.Handler.Events[0].Text);
        Assert.Equal("node 1 looks for node 3 where this node 2 is", two.Handler.Events[0].Text);
    }

    [Fact]
    public async Task ANodeThatDialsItselfIsRefused()
    {
        await using var one = new TestNode(1);
        await using var impostor = new TestNode(1);
        one.Start();
        impostor.Network.UpdatePeers([new PeerAddress(new NodeId(2), one.Address.Address)]);
        impostor.Network.Start(impostor.Handler);
        await impostor.Handler.UntilAsync("refused");
        Assert.Equal("NodeId is 1 here and on the other side", impostor.Handler.Events[0].Text);
    }

    [Fact]
    public void EqualSettingsAgree() =>
        Assert.Null(Handshake.Compare(TestNode.HandshakeOf(1, 2), TestNode.HandshakeOf(2, 1) with { Blank = true, HttpAddress = "x:1" }));

    [Fact]
    public void AHandshakeReadsBack() => Prop.ForAll(Wire.Handshakes.ToArbitrary(), handshake =>
    {
        using var buffer = new PooledBuffer();
        handshake.Encode(buffer);
        return Handshake.TryDecode(buffer.WrittenSpan, out Handshake? read) && read == handshake;
    }).Check(Config.QuickThrowOnFailure);

    [Fact]
    public void AFieldOfALaterVersionIsSkipped()
    {
        using var buffer = new PooledBuffer();
        Handshake handshake = TestNode.HandshakeOf(1, 2);
        handshake.Encode(buffer);
        Assert.Equal(0xdc, buffer.WrittenSpan[0]);
        byte[] longer = [.. buffer.WrittenSpan, 0x91, 0xa1, 0x41];
        longer[2]++;
        Assert.True(Handshake.TryDecode(longer, out Handshake? read));
        Assert.Equal(handshake, read);
        Assert.False(Handshake.TryDecode(longer.AsSpan(0, longer.Length - 1), out _));
    }

    [Fact]
    public void TextThatWouldSpoilALogIsRefused()
    {
        using var buffer = new PooledBuffer();
        (TestNode.HandshakeOf(1, 2) with { ClusterId = "a\nb" }).Encode(buffer);
        Assert.False(Handshake.TryDecode(buffer.WrittenSpan, out _));
        buffer.Clear();
        (TestNode.HandshakeOf(1, 2) with { ClusterId = new string('x', Handshake.MaxTextBytes + 1) }).Encode(buffer);
        Assert.False(Handshake.TryDecode(buffer.WrittenSpan, out _));
    }
}
