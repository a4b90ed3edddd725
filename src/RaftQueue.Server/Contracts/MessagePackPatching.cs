using System.Buffers.Binary;
using RaftQueue.MessagePack;

namespace RaftQueue.Server.Contracts;

/// <summary>
/// Array and map headers of which the count is known only at the end: written for 65,535 first, which takes
/// <see cref="HeaderBytes"/>, and set afterwards.
/// </summary>
internal static class MessagePackPatching
{
    /// <summary>Bytes of a header with a count of 16 bits.</summary>
    public const int HeaderBytes = 3;

    /// <param name="buffer">Where the header was written.</param>
    /// <param name="offset">Where it begins.</param>
    /// <param name="count">Values of an array, pairs of a map.</param>
    public static void SetCount(PooledBuffer buffer, int offset, int count) =>
        BinaryPrimitives.WriteUInt16BigEndian(buffer.Patch(offset + 1, HeaderBytes - 1), checked((ushort)Math.Min(count, ushort.MaxValue)));
}
