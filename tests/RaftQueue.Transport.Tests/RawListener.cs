using System.Net;
using System.Net.Sockets;
using RaftQueue.Primitives;

namespace RaftQueue.Transport.Tests;

/// <summary>A port that takes calls and leaves the rest to the test.</summary>
internal sealed class RawListener : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public RawListener()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    public PeerAddress AddressOf(int node) => new(new NodeId(node), $"127.0.0.1:{Port}");

    public async Task<RawPeer> AcceptAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        return new RawPeer(await _listener.AcceptAsync(limit.Token));
    }

    /// <summary>Both ends of a new connection, one of them as the code under test has it.</summary>
    public async Task<(PeerConnection Connection, Socket OtherEnd)> PairAsync(TransportOptions options)
    {
        var end = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await end.ConnectAsync(new IPEndPoint(IPAddress.Loopback, Port));
        var connection = new PeerConnection(await _listener.AcceptAsync(), options);
        await connection.OpenAsync();
        return (connection, end);
    }

    public void Dispose() => _listener.Dispose();
}
