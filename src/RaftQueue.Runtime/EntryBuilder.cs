using RaftQueue.Consensus;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>Turns waiting commands into one log entry: encoded once, the same bytes for disk, network and apply.</summary>
internal static class EntryBuilder
{
    /// <summary>An entry takes no further command beyond this; a single longer command has an entry of its own.</summary>
    public const int TargetBytes = 1024 * 1024;

    /// <summary>How many of the commands from <paramref name="start"/> on make the next entry (at least one).</summary>
    public static int CountFitting(List<WaitingCommand> commands, int start)
    {
        long bytes = EntryHeader.Size;
        int end = start;
        while (end < commands.Count && (end == start || bytes + commands[end].Size <= TargetBytes))
        {
            bytes += commands[end++].Size;
        }

        return end - start;
    }

    public static LogEntry Build(
        ShardId shard, Term term, LogIndex index, long timestampMs, List<WaitingCommand> commands, int start, int count)
    {
        int length = 0;
        for (int i = start; i < start + count; i++) length += commands[i].Size;
        byte[] bytes = GC.AllocateUninitializedArray<byte>(EntryHeader.Size + length);
        int at = EntryHeader.Size;
        for (int i = start; i < start + count; i++)
        {
            WaitingCommand command = commands[i];
            CommandFrame.WriteHeader(bytes.AsSpan(at), (ushort)command.Type, command.Origin, command.Number, command.Body.Length);
            command.Body.Span.CopyTo(bytes.AsSpan(at + CommandFrame.HeaderSize));
            at += command.Size;
        }

        var header = new EntryHeader(
            EntryHeader.CurrentFormat, EntryHeader.CurrentApplyLevel, shard, count, term, index, timestampMs, length);
        header.Seal(bytes);
        bool parsed = LogEntry.TryParse(bytes, out LogEntry? entry);
        Invariant.That(parsed, "an entry that was just built can be read");
        return entry!;
    }
}
