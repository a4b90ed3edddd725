using RaftQueue.Primitives;

namespace RaftQueue.Consensus.Tests.Support;

/// <summary>
/// A node's disk: writes are visible at once and become durable in order when synced. A crash keeps some prefix of what was not
/// synced and loses the rest.
/// </summary>
internal sealed class SimDisk : IStoredLog
{
    private readonly Queue<Write> _pending = new();
    private Image _durable = new(new HardState(), new LogIndex(1), []);
    private Image _view = new(new HardState(), new LogIndex(1), []);

    public LogIndex FirstIndex => _view.First;

    public LogIndex LastIndex => _view.Last;

    public HardState DurableHardState => _durable.HardState;

    public bool IsBlank => _view.Entries.Count == 0 && CheckpointIndex.Value == 0;

    public int PendingWrites => _pending.Count;

    /// <summary>The first membership, kept so that a restart before the first entry can give it back.</summary>
    public MembershipRecord? Bootstrap { get; set; }

    public LogIndex CheckpointIndex { get; private set; }

    public Term CheckpointTerm { get; private set; }

    public MembershipRecord? CheckpointMembership { get; private set; }

    public Term? TermAt(LogIndex index) => _view.TermAt(index);

    public LogEntry? EntryAt(LogIndex index) => _view.EntryAt(index);

    public int Read(LogIndex from, LogIndex to, long maxBytes, List<LogEntry> into)
    {
        int count = 0;
        long bytes = 0;
        for (LogIndex at = from; at <= to && _view.EntryAt(at) is { } entry; at = at.Next)
        {
            bytes += entry.SizeBytes;
            if (count > 0 && bytes > maxBytes) break;
            into.Add(entry);
            count++;
        }

        return count;
    }

    /// <summary>Whether this entry would survive a crash now.</summary>
    public bool HoldsDurably(LogIndex index, Term term) =>
        index.Value == 0 || _durable.TermAt(index) == term || (CheckpointIndex >= index && (CheckpointIndex > index || CheckpointTerm == term));

    public void Save(HardState state) => Queue(new Write(state, null, null));

    public void Append(IReadOnlyList<LogEntry> entries) => Queue(new Write(null, [.. entries], null));

    public void SaveCheckpoint(LogIndex index, Term term, MembershipRecord membership)
    {
        CheckpointIndex = index;
        CheckpointTerm = term;
        CheckpointMembership = membership;
    }

    /// <summary>The log begins behind this entry; what does not continue it is dropped.</summary>
    public void RestartAt(LogIndex index, Term term) => Queue(new Write(null, null, (index, term)));

    public void Release(LogIndex upTo)
    {
        _durable.Release(upTo);
        _view.Release(upTo);
    }

    /// <summary>Makes the oldest writes durable and returns what has to be reported, as the write-ahead log would: the last of each.</summary>
    public (HardState? State, (LogIndex Index, Term Term)? Log) Sync(int writes)
    {
        HardState? state = null;
        (LogIndex, Term)? log = null;
        for (; writes > 0 && _pending.TryDequeue(out Write? write); writes--)
        {
            _durable.Apply(write);
            if (write.State is not null) state = write.State;
            if (write.Entries is { } entries) log = (entries[^1].Index, entries[^1].Term);
        }

        return (state, log);
    }

    public void Crash(IRandomSource random)
    {
        int kept = (int)random.NextBelow(_pending.Count + 1);
        Sync(kept);
        if (_pending.TryPeek(out Write? torn) && torn.Entries is { Length: > 1 } entries && random.NextBelow(2) == 0)
        {
            _durable.Apply(torn with { Entries = entries[..(int)(1 + random.NextBelow(entries.Length - 1))] });
        }

        _pending.Clear();
        _view = _durable.Copy();
    }

    private void Queue(Write write)
    {
        _view.Apply(write);
        _pending.Enqueue(write);
    }

    private sealed record Write(HardState? State, LogEntry[]? Entries, (LogIndex Index, Term Term)? Restart);

    private sealed class Image(HardState hardState, LogIndex first, List<LogEntry> entries)
    {
        private Term _baseTerm;

        public HardState HardState { get; private set; } = hardState;

        public LogIndex First { get; private set; } = first;

        public List<LogEntry> Entries { get; private set; } = entries;

        public LogIndex Last => First + (Entries.Count - 1);

        public Image Copy() => new(HardState, First, [.. Entries]) { _baseTerm = _baseTerm };

        public LogEntry? EntryAt(LogIndex index) => index < First || index > Last ? null : Entries[(int)(index - First)];

        public Term? TermAt(LogIndex index) => index == First.Previous ? _baseTerm : EntryAt(index)?.Term;

        public void Release(LogIndex upTo)
        {
            int count = (int)Math.Clamp(upTo - First + 1, 0, Entries.Count);
            if (count > 0) _baseTerm = Entries[count - 1].Term;
            Entries.RemoveRange(0, count);
            First += count;
        }

        public void Apply(Write write)
        {
            if (write.State is { } state) HardState = state;
            if (write.Restart is { } restart)
            {
                if (TermAt(restart.Index) == restart.Term) return;
                Entries = [];
                First = restart.Index.Next;
                _baseTerm = restart.Term;
            }

            if (write.Entries is not { } entries) return;
            int keep = (int)(entries[0].Index - First);
            Assert.True(keep >= 0 && keep <= Entries.Count, "a write continues or supersedes the log");
            Entries.RemoveRange(keep, Entries.Count - keep);
            Entries.AddRange(entries);
        }
    }
}
