using RaftQueue.Primitives;

namespace RaftQueue.Consensus;

/// <summary>
/// Where entries that were handed out by <see cref="Effects.EntriesToWrite"/> are read back. Called on the replica loop; the
/// Write-ahead log implements it. An entry is visible as soon as it was handed over, durable or not.
/// </summary>
public interface IStoredLog
{
    /// <summary>The first entry that can be read: the one behind the last released.</summary>
    LogIndex FirstIndex { get; }

    /// <summary>The last entry known, written or queued to be written; the last released when none is held.</summary>
    LogIndex LastIndex { get; }

    /// <summary>The term of an entry that is held, or of the last released; else null.</summary>
    Term? TermAt(LogIndex index);

    /// <summary>
    /// Appends entries <paramref name="from"/> to <paramref name="to"/> (inclusive, contiguous) to <paramref name="into"/>,
    /// stopping when <paramref name="maxBytes"/> would be passed but giving at least one if it can. Returns how many; 0 when
    /// <paramref name="from"/> is not available.
    /// </summary>
    int Read(LogIndex from, LogIndex to, long maxBytes, List<LogEntry> into);
}
