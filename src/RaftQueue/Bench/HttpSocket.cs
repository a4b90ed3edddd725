using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace RaftQueue.Bench;

/// <summary>
/// One keep-alive connection that sends bytes made before and reads a reply: HTTP/1.1 as RaftQueue speaks it, with blocking calls, so
/// that the load costs little beside what it measures. One thread at a time.
/// </summary>
internal sealed class HttpSocket : IDisposable
{
    private static ReadOnlySpan<byte> LengthHeader => "\r\nContent-Length: "u8;

    private readonly Uri _server;
    private readonly Socket _socket;
    private byte[] _buffer = new byte[64 * 1024];
    private int _received;
    private int _headLength;
    private int _bodyStart;
    private int _bodyLength;

    /// <exception cref="SocketException">The server does not answer.</exception>
    public HttpSocket(Uri server, TimeSpan timeout)
    {
        _server = server;
        _socket = new Socket(SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            SendTimeout = (int)timeout.TotalMilliseconds,
            ReceiveTimeout = (int)timeout.TotalMilliseconds,
        };
        try
        {
            _socket.Connect(server.Host, server.Port);
        }
        catch (SocketException)
        {
            _socket.Dispose();
            throw;
        }
    }

    /// <summary>The body of the last reply, until the next request.</summary>
    public ReadOnlySpan<byte> Body => _buffer.AsSpan(_bodyStart, _bodyLength);

    /// <summary>Status line and headers of the last reply, each line ended by CR LF, until the next request.</summary>
    public ReadOnlySpan<byte> Head => _buffer.AsSpan(0, _headLength);

    /// <summary>A request as bytes, for any connection to the server.</summary>
    public static byte[] Request(Uri server, string method, string path, string? token, ReadOnlySpan<byte> body, string? idempotencyKey = null)
    {
        string head = $"{method} {path} HTTP/1.1\r\nHost: {server.Authority}\r\n"
            + (token is null ? "" : $"Authorization: Bearer {token}\r\n")
            + (idempotencyKey is null ? "" : $"Idempotency-Key: {idempotencyKey}\r\n")
            + (body.IsEmpty ? "\r\n" : string.Create(
                CultureInfo.InvariantCulture, $"Content-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n"));
        return [.. Encoding.ASCII.GetBytes(head), .. body];
    }

    /// <summary>Sends a request and waits for the reply; gives its status.</summary>
    /// <exception cref="SocketException">The connection broke or nothing came in time: the outcome is unknown.</exception>
    /// <exception cref="IOException">The same, or the reply is none that this client can read.</exception>
    public int Exchange(ReadOnlySpan<byte> request)
    {
        while (!request.IsEmpty) request = request[_socket.Send(request)..];
        _received = 0;
        int headLength;
        while ((headLength = _buffer.AsSpan(0, _received).IndexOf("\r\n\r\n"u8)) < 0) Receive();
        _headLength = headLength + 2;
        ReadOnlySpan<byte> head = Head;
        int status = Status(head);
        _bodyLength = Length(head);
        _bodyStart = headLength + 4;
        while (_received < _bodyStart + _bodyLength) Receive();
        return status;
    }

    /// <summary>The same for a request without a body, made on the spot.</summary>
    public int Get(string path, string? token) => Exchange(Request(_server, "GET", path, token, []));

    public void Dispose() => _socket.Dispose();

    private void Receive()
    {
        if (_received == _buffer.Length) Array.Resize(ref _buffer, 2 * _buffer.Length);
        int count = _socket.Receive(_buffer.AsSpan(_received));
        if (count == 0) throw new IOException("The server closed the connection.");
        _received += count;
    }

    private static int Status(ReadOnlySpan<byte> head) =>
        head.Length > 12 && head.StartsWith("HTTP/1.1 "u8) && int.TryParse(head.Slice(9, 3), CultureInfo.InvariantCulture, out int status)
            ? status
            : throw new IOException("The reply is not HTTP/1.1.");

    private static int Length(ReadOnlySpan<byte> head)
    {
        int at = head.IndexOf(LengthHeader);
        if (at < 0) throw new IOException("The reply has no Content-Length.");
        ReadOnlySpan<byte> rest = head[(at + LengthHeader.Length)..];
        return int.TryParse(rest[..rest.IndexOf("\r\n"u8)], CultureInfo.InvariantCulture, out int length) && length >= 0
            ? length
            : throw new IOException("The reply has a Content-Length that is no number.");
    }
}
