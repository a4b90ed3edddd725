using RaftQueue.Consensus;
using RaftQueue.Primitives;
using RaftQueue.Storage;

namespace RaftQueue.Processes;

/// <summary>The log of a node that does not run any more, read as its next start would.</summary>
internal static class LogFiles
{
    private const long Batch = 16 * 1024 * 1024;

    /// <summary>All entries of shard 0 from the first on; null when the log does not begin there any more.</summary>
    public static List<LogEntry>? Read(string dataDirectory)
    {
        using var wal = WriteAheadLog.Open(new LinuxDisk(), new NoClock(), dataDirectory, new WalOptions());
        IStoredLog log = wal.Log(default);
        if (log.FirstIndex.Value != 1) return null;
        var entries = new List<LogEntry>();
        for (LogIndex next = log.FirstIndex; next <= log.LastIndex; next = entries[^1].Index.Next)
        {
            if (log.Read(next, log.LastIndex, Batch, entries) == 0) throw new IOException($"Entry {next} of '{dataDirectory}' cannot be read.");
        }

        return entries;
    }

    /// <summary>Reading needs no time.</summary>
    private sealed class NoClock : IClock
    {
        public long MonotonicMicroseconds => 0;

        public long WallUnixMs => 0;
    }
}
