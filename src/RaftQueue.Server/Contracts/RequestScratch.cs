using RaftQueue.MessagePack;

namespace RaftQueue.Server.Contracts;

/// <summary>
/// The buffers that one request needs from its first byte to its command, reused by the next. One request's own; what parsers
/// return points into them.
/// </summary>
public sealed class RequestScratch : IDisposable
{
    /// <summary>Buffers that grew beyond this are given up when the request is over.</summary>
    private const int KeptBytes = 256 * 1024;

    /// <summary>The body as received.</summary>
    public PooledBuffer Body { get; private set; } = new();

    /// <summary>The command's body.</summary>
    public PooledBuffer Command { get; private set; } = new();

    /// <summary>Bytes decoded from base64.</summary>
    public PooledBuffer Payload { get; private set; } = new(256);

    public PooledBuffer Tags { get; } = new(256);

    public PooledBuffer Headers { get; } = new(256);

    public RequestErrors Errors { get; } = new();

    /// <summary>Makes everything empty again for the next request.</summary>
    public void Clear()
    {
        Body = Emptied(Body);
        Command = Emptied(Command);
        Payload = Emptied(Payload);
        Tags.Clear();
        Headers.Clear();
        Errors.Clear();
    }

    public void Dispose()
    {
        Body.Dispose();
        Command.Dispose();
        Payload.Dispose();
        Tags.Dispose();
        Headers.Dispose();
    }

    private static PooledBuffer Emptied(PooledBuffer buffer)
    {
        if (buffer.Length <= KeptBytes)
        {
            buffer.Clear();
            return buffer;
        }

        buffer.Dispose();
        return new PooledBuffer();
    }
}
