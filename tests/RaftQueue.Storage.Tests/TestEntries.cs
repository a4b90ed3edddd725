using RaftQueue.Consensus;
using RaftQueue.Primitives;

namespace RaftQueue.Storage.Tests;

/// <summary>Entries with a body of a given size, whose bytes follow from shard, term, index and salt.</summary>
internal static class TestEntries
{
    public static LogEntry Make(int shard, long term, long index, int bodyBytes = 20, ulong salt = 0)
    {
        byte[] body = new byte[bodyBytes];
        var random = new SplitMix64(((ulong)index << 20) ^ ((ulong)term << 8) ^ (ulong)shard ^ (salt << 40));
        for (int at = 0; at < body.Length; at++)
        {
            body[at] = (byte)random.NextUInt64();
        }

        var frame = new CommandFrame(CommandFrame.FirstJobType, new Incarnation(7), (ulong)index, body);
        byte[] bytes = new byte[EntryHeader.Size + frame.Size];
        frame.Write(bytes.AsSpan(EntryHeader.Size));
        new EntryHeader(
            EntryHeader.CurrentFormat,
            EntryHeader.CurrentApplyLevel,
            new ShardId((ushort)shard),
            1,
            new Term(term),
            new LogIndex(index),
            1_700_000_000_000 + index,
            frame.Size).Seal(bytes);
        Assert.True(LogEntry.TryParse(bytes, out LogEntry? entry));
        return entry;
    }

    public static List<LogEntry> Range(int shard, long term, long first, long last, int bodyBytes = 20, ulong salt = 0)
    {
        var entries = new List<LogEntry>();
        for (long index = first; index <= last; index++)
        {
            entries.Add(Make(shard, term, index, bodyBytes, salt));
        }

        return entries;
    }

    /// <summary>All entries of a shard that can be read.</summary>
    public static List<LogEntry> ReadAll(WriteAheadLog wal, int shard)
    {
        IStoredLog log = wal.Log(new ShardId((ushort)shard));
        var entries = new List<LogEntry>();
        log.Read(log.FirstIndex, log.LastIndex, long.MaxValue, entries);
        return entries;
    }
}
