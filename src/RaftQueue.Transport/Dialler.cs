using System.Net;
using System.Net.Sockets;
using RaftQueue.MessagePack;

namespace RaftQueue.Transport;

/// <summary>The caller's side of a connection up to the complete handshake. Throws what sockets throw.</summary>
internal static class Dialler
{
    private const int LongestPauseMs = 10;

    /// <summary>Resolves the name and connects. <paramref name="limit"/> also gets the connect timeout.</summary>
    public static async Task<PeerConnection> ConnectAsync(string address, TransportOptions options, CancellationTokenSource limit)
    {
        if (!HostAndPort.TryParse(address, out HostAndPort target)) throw new IOException($"'{address}' is not host:port");
        limit.CancelAfter(options.ConnectTimeoutMs);
        var connection = new PeerConnection(await ConnectAsync(target.ToDial(), limit.Token), options);
        try
        {
            await connection.OpenAsync();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Says hello and judges the answer.</summary>
    public static async Task<HelloAnswer> ShakeHandsAsync(PeerConnection connection, HelloMessage hello, CancellationToken limit)
    {
        using var payload = new PooledBuffer();
        hello.Encode(payload);
        await connection.WriteAsync(FrameKind.Hello, payload, limit);
        (FrameHeader header, byte[] bytes) = await connection.ReadAsync(limit);
        if (header.Kind == FrameKind.Goodbye && GoodbyeMessage.TryDecode(bytes, out GoodbyeMessage? goodbye)) return Judge(goodbye);
        if (header.Kind != FrameKind.HelloReply || !Handshake.TryDecode(bytes, out Handshake? theirs))
            throw new IOException("the other side does not answer as a peer does");
        string? difference = Handshake.Compare(hello.Handshake, theirs);
        return difference is null ? new HelloAnswer(theirs) : new HelloAnswer(null, difference, SettingsDiffer: true);
    }

    private static async Task<Socket> ConnectAsync(EndPoint target, CancellationToken limit)
    {
        if (target is IPEndPoint known) return await ConnectOnceAsync(known, limit);
        var named = (DnsEndPoint)target;
        SocketException? failure = null;
        foreach (IPAddress address in await Dns.GetHostAddressesAsync(named.Host, limit))
        {
            try
            {
                return await ConnectOnceAsync(new IPEndPoint(address, named.Port), limit);
            }
            catch (SocketException exception)
            {
                failure = exception;
            }
        }

        throw failure ?? new SocketException((int)SocketError.HostNotFound);
    }

    /// <summary>Without the runtime's asynchronous connect, which would register the socket: see <see cref="PeerConnection"/>.</summary>
    private static async Task<Socket> ConnectOnceAsync(IPEndPoint target, CancellationToken limit)
    {
        var socket = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
        try
        {
            Begin(socket, target);
            for (int pauseMs = 1; !socket.Poll(TimeSpan.Zero, SelectMode.SelectWrite); pauseMs = Math.Min(pauseMs + 1, LongestPauseMs))
            {
                await Task.Delay(pauseMs, limit);
            }

            int error = (int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)!;
            if (error != 0) throw new SocketException(error);
            socket.Blocking = true;
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static void Begin(Socket socket, IPEndPoint target)
    {
        try
        {
            socket.Connect(target);
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
        {
            // As usual: it goes on by itself.
        }
    }

    private static HelloAnswer Judge(GoodbyeMessage goodbye) => goodbye.Why switch
    {
        GoodbyeMessage.Cause.Refused => new HelloAnswer(null, goodbye.Reason),
        GoodbyeMessage.Cause.Duplicate => new HelloAnswer(null, IsDuplicate: true),
        _ => default,
    };
}
