using System.Net.Sockets;
using RaftQueue.MessagePack;

namespace RaftQueue.Transport;

/// <summary>The caller's side of a connection up to the complete handshake. Throws what sockets throw.</summary>
internal static class Dialler
{
    /// <summary>Resolves the name and connects. <paramref name="limit"/> also gets the connect timeout.</summary>
    public static async Task<PeerConnection> ConnectAsync(string address, TransportOptions options, CancellationTokenSource limit)
    {
        if (!HostAndPort.TryParse(address, out HostAndPort target)) throw new IOException($"'{address}' is not host:port");
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        var connection = new PeerConnection(socket, options);
        try
        {
            limit.CancelAfter(options.ConnectTimeoutMs);
            await socket.ConnectAsync(target.ToDial(), limit.Token);
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

    private static HelloAnswer Judge(GoodbyeMessage goodbye) => goodbye.Why switch
    {
        GoodbyeMessage.Cause.Refused => new HelloAnswer(null, goodbye.Reason),
        GoodbyeMessage.Cause.Duplicate => new HelloAnswer(null, IsDuplicate: true),
        _ => default,
    };
}
