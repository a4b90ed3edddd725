using System.Buffers.Binary;
using System.Security.Cryptography;
using RaftQueue.Primitives;

namespace RaftQueue.Server.Hosting;

/// <summary>The machine's randomness. Safe from any thread.</summary>
public sealed class SystemRandomSource : IRandomSource
{
    public ulong NextUInt64()
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        RandomNumberGenerator.Fill(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }
}
