using System.Net.Sockets;

namespace RaftQueue.Server.Tests.Support;

/// <summary>A connection on which the test says every byte itself.</summary>
internal sealed class RawConnection : IDisposable
{
    private readonly TcpClient _client;

    private readonly NetworkStream _stream;

    private RawConnection(TcpClient client)
    {
        _client = client;
        _stream = client.GetStream();
    }

    public static async Task<RawConnection> OpenAsync(Uri address)
    {
        var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port);
        return new RawConnection(client);
    }

    public async Task SendAsync(byte[] bytes)
    {
        try
        {
            await _stream.WriteAsync(bytes);
        }
        catch (IOException)
        {
            // The server has answered and closed already; what it said is still to be read.
            Assert.True(bytes.Length > 0);
        }
    }

    public void EndSending() => _client.Client.Shutdown(SocketShutdown.Send);

    /// <summary>All that comes until the server closes, or what came until it resets or is silent for 30 s.</summary>
    public async Task<string> ReceiveAsync()
    {
        var text = new StringBuilder();
        byte[] buffer = new byte[8192];
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        try
        {
            while (true)
            {
                int count = await _stream.ReadAsync(buffer, timeout.Token);
                if (count == 0) return text.ToString();
                text.Append(Encoding.Latin1.GetString(buffer, 0, count));
            }
        }
        catch (IOException)
        {
            // A reset is an end as well.
            return text.ToString();
        }
    }

    public void Dispose()
    {
        _stream.Dispose();
        _client.Dispose();
    }
}
