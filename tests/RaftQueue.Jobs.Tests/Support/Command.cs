using RaftQueue.MessagePack;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs.Tests.Support;

/// <summary>A command with its body, as a node would send it.</summary>
public sealed record Command(CommandType Type, Incarnation Origin, ulong Number, byte[] Body)
{
    public static byte[] Encode(BodyWriter body)
    {
        using var buffer = new PooledBuffer();
        body(new MessagePackWriter(buffer));
        return buffer.WrittenSpan.ToArray();
    }
}
