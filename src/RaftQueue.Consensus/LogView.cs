using RaftQueue.Primitives;

namespace RaftQueue.Consensus;

/// <summary>
/// The log as consensus sees it: entries that are not yet known to be durable (held here) behind those that are (read from the
/// stored log), and the checkpoint that both begin after.
/// </summary>
internal sealed class LogView
{
    private readonly IStoredLog _stored;
    private readonly List<LogEntry> _unstable = [];
    private LogIndex _floor;
    private LogIndex _supersededFrom;

    public LogView(IStoredLog stored, RaftStart start)
    {
        _stored = stored;
        CheckpointIndex = start.CheckpointIndex;
        CheckpointTerm = start.CheckpointTerm;
        bool empty = stored.LastIndex < CheckpointIndex || stored.LastIndex < stored.FirstIndex;
        // Also in front of an empty log: it was restarted behind a checkpoint that this node had acknowledged, and that is gone.
        bool hole = stored.FirstIndex > CheckpointIndex.Next;
        // A crash between a received checkpoint and the restart of the log leaves a tail that conflicts with what is committed.
        bool parted = !empty && stored.TermAt(CheckpointIndex) is { } term && CheckpointIndex.Value > 0 && term != CheckpointTerm;
        if (hole) LostTail = (stored.TermAt(stored.LastIndex) ?? CheckpointTerm, stored.LastIndex);
        ContinuesCheckpoint = !empty && !hole && !parted;
        if (!ContinuesCheckpoint)
        {
            _floor = CheckpointIndex;
            LastIndex = CheckpointIndex;
            LastTerm = CheckpointTerm;
        }
        else
        {
            LastIndex = stored.LastIndex;
            Term? last = stored.TermAt(stored.LastIndex);
            Invariant.That(last is not null, "a stored log knows the term of its last entry");
            LastTerm = last.Value;
        }

        Durable = LastIndex;
    }

    /// <summary>Entries up to here are covered by a durable checkpoint; zero when there is none.</summary>
    public LogIndex CheckpointIndex { get; private set; }

    public Term CheckpointTerm { get; private set; }

    public LogIndex LastIndex { get; private set; }

    public Term LastTerm { get; private set; }

    /// <summary>Everything up to here is durable on this node.</summary>
    public LogIndex Durable { get; private set; }

    /// <summary>Bytes of entries that are not known to be durable.</summary>
    public long UnstableBytes { get; private set; }

    /// <summary>What the stored log held behind a gap to the checkpoint and could not be used: a floor for votes.</summary>
    public (Term Term, LogIndex Index)? LostTail { get; }

    /// <summary>At the start, the stored log could be used; else it has to restart behind the checkpoint.</summary>
    public bool ContinuesCheckpoint { get; }

    /// <summary>The first entry that can be sent.</summary>
    public LogIndex FirstIndex => LogIndex.Max(_stored.FirstIndex, _floor.Next);

    /// <summary>
    /// False while an overwrite of the log's end is not durable. A second one must wait: with two on their way to the disk, a
    /// report "durable through (index, term)" could mean the version before the first of them.
    /// </summary>
    public bool MayTruncate => _supersededFrom.Value == 0;

    /// <summary>
    /// The term of an entry; zero before the first entry; null when it is not known (never zero for "unknown").
    /// </summary>
    public Term? TermAt(LogIndex index)
    {
        if (index.Value == 0) return Term.Zero;
        if (index > LastIndex || index.Value < 0) return null;
        if (index == LastIndex) return LastTerm;
        if (index == CheckpointIndex) return CheckpointTerm;
        if (index > Durable) return _unstable[(int)(index - Durable) - 1].Term;
#if PLANTED_BUGS
        if (index < FirstIndex && PlantedBugs.Has(PlantedBug.MissingTermReadAsZero)) return Term.Zero;
#endif
        return index < FirstIndex ? null : _stored.TermAt(index);
    }

    /// <summary>Whether a log ending in this entry is at least as up to date as this one (Raft thesis 3.6.1).</summary>
    public bool IsUpToDate(Term lastTerm, LogIndex lastIndex)
    {
#if PLANTED_BUGS
        if (PlantedBugs.Has(PlantedBug.LongerLogIsNewer)) return lastIndex >= LastIndex;
#endif
        return Compare(lastTerm, lastIndex, LastTerm, LastIndex) >= 0;
    }

    public static int Compare(Term leftTerm, LogIndex leftIndex, Term rightTerm, LogIndex rightIndex) =>
        leftTerm != rightTerm ? leftTerm.CompareTo(rightTerm) : leftIndex.CompareTo(rightIndex);

    /// <summary>
    /// The last entry at or before <paramref name="index"/> whose term is at most <paramref name="term"/>, or that is not known
    /// here: everything behind it cannot match a log that has <paramref name="term"/> at <paramref name="index"/>.
    /// </summary>
    public LogIndex LastPossibleMatch(LogIndex index, Term term, LogIndex atLeast)
    {
        LogIndex high = LogIndex.Min(index, LastIndex);
        LogIndex low = LogIndex.Max(atLeast, LogIndex.Min(high, FirstIndex.Previous));
        while (low < high)
        {
            // Terms never fall along a log, so halving finds the place.
            LogIndex middle = low + ((high - low + 1) / 2);
            if (TermAt(middle) is { } here && here > term) high = middle.Previous;
            else low = middle;
        }

        return low;
    }

    /// <summary>Appends one entry; whatever stands at or after its index is gone.</summary>
    public void Append(LogEntry entry)
    {
        if (entry.Index <= LastIndex) TruncateBefore(entry.Index);
        Invariant.That(entry.Index == LastIndex.Next, "an entry goes behind the last one");
        Invariant.That(entry.Term >= LastTerm, "terms never fall along a log");
        _unstable.Add(entry);
        UnstableBytes += entry.SizeBytes;
        LastIndex = entry.Index;
        LastTerm = entry.Term;
    }

    /// <summary>The own log is durable through an entry of this term. False when that entry is no longer in the log.</summary>
    public bool Persisted(LogIndex index, Term term)
    {
        if (index <= Durable || TermAt(index) != term) return false;
        RemoveUnstable(0, (int)(index - Durable));
        Durable = index;
        if (_supersededFrom.Value > 0 && index >= _supersededFrom) _supersededFrom = LogIndex.Zero;
        return true;
    }

    /// <summary>Reads contiguous entries for sending; 0 when <paramref name="from"/> cannot be read.</summary>
    public int Read(LogIndex from, LogIndex to, long maxBytes, List<LogEntry> into)
    {
        if (from < FirstIndex || from > LastIndex) return 0;
        to = LogIndex.Min(to, LastIndex);
        int count = 0;
        long bytes = 0;
        if (from <= Durable)
        {
            count = _stored.Read(from, LogIndex.Min(to, Durable), maxBytes, into);
            for (int i = into.Count - count; i < into.Count; i++) bytes += into[i].SizeBytes;
            if (count == 0 || from + count <= Durable) return count;
        }

        for (LogIndex at = from + count; at <= to; at = at.Next)
        {
            LogEntry entry = _unstable[(int)(at - Durable) - 1];
            bytes += entry.SizeBytes;
            if (bytes > maxBytes && count > 0) break;
            into.Add(entry);
            count++;
        }

        return count;
    }

    /// <summary>A durable checkpoint of our own covers the log up to here.</summary>
    public void Compact(LogIndex index, Term term)
    {
        CheckpointIndex = index;
        CheckpointTerm = term;
    }

    /// <summary>A received checkpoint is durable. True when the log continues behind it, false when it now ends there.</summary>
    public bool Install(LogIndex index, Term term)
    {
        bool keepsTail = TermAt(index) == term;
        if (keepsTail)
        {
            if (Durable < index)
            {
                RemoveUnstable(0, (int)(index - Durable));
                Durable = index;
            }
        }
        else
        {
            RemoveUnstable(0, _unstable.Count);
            _supersededFrom = LogIndex.Zero;
            _floor = index;
            LastIndex = index;
            LastTerm = term;
            Durable = index;
        }

        CheckpointIndex = index;
        CheckpointTerm = term;
        return keepsTail;
    }

    private void RemoveUnstable(int from, int count)
    {
        for (int i = from; i < from + count; i++) UnstableBytes -= _unstable[i].SizeBytes;
        _unstable.RemoveRange(from, count);
    }

    private void TruncateBefore(LogIndex index)
    {
        Invariant.That(MayTruncate, "one overwrite is durable before the next begins");
        Invariant.That(index > CheckpointIndex, "what a checkpoint covers is never overwritten");
        Term? term = TermAt(index.Previous);
        Invariant.That(term is not null, "the entry before an overwrite is known");
        if (index <= Durable)
        {
            RemoveUnstable(0, _unstable.Count);
            Durable = index.Previous;
        }
        else
        {
            int keep = (int)(index - Durable) - 1;
            RemoveUnstable(keep, _unstable.Count - keep);
        }

        LastIndex = index.Previous;
        LastTerm = term.Value;
        _supersededFrom = index;
    }
}
