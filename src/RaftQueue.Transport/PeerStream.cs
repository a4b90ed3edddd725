using System.Net.Sockets;

namespace RaftQueue.Transport;

/// <summary>The one place where a socket becomes the stream that connections read and write. TLS (PeerTls) goes here.</summary>
internal static class PeerStream
{
    private const int TcpNotSentLowWaterMark = 25; // TCP_NOTSENT_LOWAT of linux/tcp.h

    /// <summary>Prepares the socket and wraps it. The stream owns it.</summary>
    public static ValueTask<Stream> WrapAsync(Socket socket)
    {
        socket.NoDelay = true;
        if (OperatingSystem.IsLinux())
        {
            // Keeps what is not yet sent in our queue, where urgent frames overtake, instead of in the kernel's buffer.
            socket.SetRawSocketOption((int)ProtocolType.Tcp, TcpNotSentLowWaterMark, BitConverter.GetBytes(FrameHeader.MaxFrameBytes));
        }

        return ValueTask.FromResult<Stream>(new NetworkStream(socket, ownsSocket: true));
    }
}
