using RaftQueue.Jobs;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>A command that waits on the leader for the next entry. <see cref="Local"/> when this node's user asked for it.</summary>
internal readonly record struct WaitingCommand(
    CommandType Type,
    Incarnation Origin,
    NodeId OriginNode,
    ulong Number,
    ReadOnlyMemory<byte> Body,
    PendingRequest? Local)
{
    public int Size => CommandFrame.HeaderSize + Body.Length;
}
