using System.Net;
using System.Net.Sockets;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;

namespace RaftQueue.Transport.Tests;

/// <summary>A caller that does what it wants on its socket.</summary>
internal sealed class RawPeer : IDisposable
{
    private readonly FrameParser _parser = new();
    private readonly Socket _socket;
    private bool _large;

    internal RawPeer(Socket socket) => _socket = socket;

    public static async Task<RawPeer> DialAsync(TestNode node)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, node.Network.LocalEndPoint.Port));
        return new RawPeer(socket);
    }

    public static async Task<RawPeer> HandshakenAsync(
        TestNode node, int self, bool insists = false, ConnectionPurpose purpose = ConnectionPurpose.Peer)
    {
        RawPeer peer = await DialAsync(node);
        await peer.HelloAsync(TestNode.HandshakeOf(self, node.Id.Value), insists, purpose);
        (FrameHeader header, _) = await peer.ReadAsync() ?? throw new InvalidOperationException("No answer.");
        Assert.Equal(FrameKind.HelloReply, header.Kind);
        return peer;
    }

    public static byte[] Frame(
        FrameKind kind, ReadOnlySpan<byte> payload, ulong sender = 0, ulong target = 0, FrameFlags flags = FrameFlags.None)
    {
        byte[] frame = new byte[FrameHeader.Size + payload.Length];
        payload.CopyTo(frame.AsSpan(FrameHeader.Size));
        new FrameHeader(kind, flags, default, payload.Length, new Incarnation(sender), new Incarnation(target)).Seal(frame);
        return frame;
    }

    public async Task HelloAsync(Handshake handshake, bool insists = false, ConnectionPurpose purpose = ConnectionPurpose.Peer)
    {
        using var buffer = new PooledBuffer();
        new HelloMessage(purpose, insists, handshake).Encode(buffer);
        await WriteAsync(Frame(FrameKind.Hello, buffer.WrittenSpan));
    }

    /// <summary>Reads the caller's hello and agrees.</summary>
    public async Task AgreeAsync(int self, int target)
    {
        await HelloArrivesAsync();
        await AnswerAsync(self, target);
    }

    /// <summary>The other side's dial is under way, and it knows that.</summary>
    public async Task HelloArrivesAsync()
    {
        (FrameHeader header, _) = await ReadAsync() ?? throw new InvalidOperationException("No hello.");
        Assert.Equal(FrameKind.Hello, header.Kind);
    }

    public async Task AnswerAsync(int self, int target)
    {
        using var buffer = new PooledBuffer();
        TestNode.HandshakeOf(self, target).Encode(buffer);
        await WriteAsync(Frame(FrameKind.HelloReply, buffer.WrittenSpan));
    }

    /// <summary>The other side closes, whatever it says before.</summary>
    public async Task UntilClosedAsync()
    {
        while (await ReadAsync() is not null)
        {
            // Frames on the way are of no interest.
        }
    }

    public async Task WriteAsync(byte[] bytes)
    {
        for (int sent = 0; sent < bytes.Length;) sent += await _socket.SendAsync(bytes.AsMemory(sent));
    }

    /// <summary>The next frame, or null when the other side has closed.</summary>
    public async Task<(FrameHeader Header, byte[] Payload)?> ReadAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            FrameParser.Found found = _parser.Take(out FrameHeader header, out byte[] payload);
            Assert.NotEqual(FrameParser.Found.Damaged, found);
            if (found == FrameParser.Found.Frame)
            {
                if (!_large) _parser.HandshakeIsComplete();
                _large = true;
                return (header, payload);
            }

            int count;
            try
            {
                count = await _socket.ReceiveAsync(_parser.NextBuffer(), limit.Token);
            }
            catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionReset)
            {
                return null;
            }

            if (count == 0) return null;
            _parser.Advance(count);
        }
    }

    public void Dispose()
    {
        _socket.Dispose();
        _parser.Dispose();
    }
}
