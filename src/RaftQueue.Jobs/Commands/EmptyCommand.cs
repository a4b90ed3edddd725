using RaftQueue.MessagePack;

namespace RaftQueue.Jobs.Commands;

/// <summary>The body of <see cref="CommandType.Tick"/> and <see cref="CommandType.Checkpoint"/>: an empty array.</summary>
public static class EmptyCommand
{
    public static void Write(in MessagePackWriter writer) => writer.WriteArrayHeader(0);
}
