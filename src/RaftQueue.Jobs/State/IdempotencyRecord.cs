using System.Runtime.InteropServices;
using RaftQueue.Jobs.Structures;

namespace RaftQueue.Jobs.State;

/// <summary>A remembered idempotency key, as it stands in its page (little endian).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 2, Size = RecordSize)]
internal struct IdempotencyRecord
{
    public const int RecordSize = 56;

    public ulong KeyLow;
    public ulong KeyHigh;
    public ulong BodyLow;
    public ulong BodyHigh;

    /// <summary>Of the first outcome.</summary>
    public long Index;

    /// <summary>The encoded body of the result, or the grants of a lease.</summary>
    public BlobRef Result;
    public UInt48 ExpiresAt;
    public CommandType Type;
}
