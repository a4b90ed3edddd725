using RaftQueue.Checkers;
using RaftQueue.Consensus;
using RaftQueue.Primitives;

namespace RaftQueue.Simulation;

/// <summary>What is committed in one shard, gathered from all nodes, and when each entry was first seen.</summary>
internal sealed class CommittedLog
{
    private readonly List<LogEntry?> _entries = [];
    private readonly Dictionary<(Term Term, LogIndex Index), (LogEntry Entry, long AtMs)> _seen = [];

    // The newest entry that was committed by the time of a term, for the terms in which anything was.
    private readonly SortedList<long, LogEntry> _lastByTerm = [];

    private readonly SortedList<long, MembershipRecord> _memberships = [];

    public int Count => _entries.Count;

    /// <summary>Every entry up to here is known.</summary>
    public LogIndex KnownTo
    {
        get
        {
            int gap = _entries.FindIndex(static entry => entry is null);
            return new LogIndex(gap < 0 ? _entries.Count : gap);
        }
    }

    /// <summary>True when no node was known to have this entry before.</summary>
    public bool Saw(LogEntry entry, long nowMs) => _seen.TryAdd((entry.Term, entry.Index), (entry, nowMs));

    /// <summary>The entry, committed or not, that some node had.</summary>
    public LogEntry? Find(Term term, LogIndex index) => _seen.TryGetValue((term, index), out (LogEntry Entry, long AtMs) seen) ? seen.Entry : null;

    /// <summary>The newest entry that was committed in a term before this one.</summary>
    public LogEntry? LastBefore(Term term)
    {
        for (int place = _lastByTerm.Count - 1; place >= 0; place--)
        {
            if (_lastByTerm.Keys[place] < term.Value) return _lastByTerm.Values[place];
        }

        return null;
    }

    /// <summary>The newest committed membership at or before an index.</summary>
    public MembershipRecord? MembershipAt(LogIndex index)
    {
        for (int place = _memberships.Count - 1; place >= 0; place--)
        {
            if (_memberships.Keys[place] <= index.Value) return _memberships.Values[place];
        }

        return null;
    }

    /// <summary>A node of this term knows that the entry is committed.</summary>
    public void Add(LogEntry entry, Term term)
    {
        int place = (int)entry.Index.Value - 1;
        while (_entries.Count <= place) _entries.Add(null);
        if (_entries[place] is not null) return;
        _entries[place] = entry;
        if (entry.Membership is { } membership) _memberships[entry.Index.Value] = membership;
        _lastByTerm[term.Value] = entry;
    }

    public IReadOnlyList<ReadOnlyMemory<byte>> To(LogIndex end)
    {
        var entries = new List<ReadOnlyMemory<byte>>((int)end.Value);
        for (int place = 0; place < end.Value; place++)
        {
            LogEntry? entry = place < _entries.Count ? _entries[place] : null;
            Require.That(entry is not null, $"P10: entry {place + 1} was seen to be committed on some node");
            entries.Add(entry.Bytes);
        }

        return entries;
    }

    public long LagMs(LogIndex index)
    {
        // Of a run that went wrong: an answer may name what nobody committed.
        if (index.Value > _entries.Count || index.Value < 1 || _entries[(int)index.Value - 1] is not { } entry) return 0;
        return Math.Max(0, _seen[(entry.Term, index)].AtMs - entry.Header.TimestampMs);
    }
}
