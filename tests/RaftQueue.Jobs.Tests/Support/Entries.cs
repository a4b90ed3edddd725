using RaftQueue.Primitives;

namespace RaftQueue.Jobs.Tests.Support;

public static class Entries
{
    /// <summary>The bytes of one entry that holds these commands.</summary>
    public static byte[] Build(long index, long timestampMs, IReadOnlyList<Command> commands)
    {
        int length = commands.Sum(command => CommandFrame.HeaderSize + command.Body.Length);
        byte[] entry = new byte[EntryHeader.Size + length];
        int at = EntryHeader.Size;
        foreach (Command command in commands)
            at += new CommandFrame((ushort)command.Type, command.Origin, command.Number, command.Body).Write(entry.AsSpan(at));
        var header = new EntryHeader(
            EntryHeader.CurrentFormat,
            EntryHeader.CurrentApplyLevel,
            new ShardId(0),
            commands.Count,
            new Term(1),
            new LogIndex(index),
            timestampMs,
            length);
        header.Seal(entry);
        return entry;
    }
}
