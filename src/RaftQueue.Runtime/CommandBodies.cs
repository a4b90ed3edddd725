using RaftQueue.Jobs;
using RaftQueue.Jobs.Commands;
using RaftQueue.MessagePack;

namespace RaftQueue.Runtime;

/// <summary>Bodies of the commands that a node writes on its own account.</summary>
internal static class CommandBodies
{
    /// <summary>Of a tick and of a checkpoint position.</summary>
    public static ReadOnlyMemory<byte> Empty { get; } = WriteEmpty();

    public static ReadOnlyMemory<byte> Settings(ReplicatedSettings settings)
    {
        using var buffer = new PooledBuffer(256);
        SettingsCommand.Write(new MessagePackWriter(buffer), settings);
        return buffer.WrittenSpan.ToArray();
    }

    private static ReadOnlyMemory<byte> WriteEmpty()
    {
        using var buffer = new PooledBuffer(16);
        EmptyCommand.Write(new MessagePackWriter(buffer));
        return buffer.WrittenSpan.ToArray();
    }
}
