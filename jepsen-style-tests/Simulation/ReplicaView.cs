using System.Buffers.Binary;
using RaftQueue.Checkers;
using RaftQueue.Consensus;
using RaftQueue.Primitives;

namespace RaftQueue.Simulation;

/// <summary>
/// One node's log of one shard as the watch saw it last, and what else it knows of that replica. What a life of a node begins with is
/// not read: a disk may be made to fail a read, and the node itself shall meet it. It is known by its terms and from other lives.
/// </summary>
internal sealed class ReplicaView
{
    private const int ChecksumOffset = 36;
    private const long ReadBytes = 4 << 20;

    private readonly IStoredLog _stored;
    private readonly Func<Term, LogIndex, LogEntry?> _known;
    private readonly Dictionary<long, Term> _terms = [];
    private readonly List<LogEntry> _read = [];

    public ReplicaView(IStoredLog stored, Func<Term, LogIndex, LogEntry?> known)
    {
        _stored = stored;
        _known = known;
        LastIndex = stored.LastIndex;
        for (LogIndex at = stored.FirstIndex; at <= LastIndex; at = at.Next) _terms[at.Value] = stored.TermAt(at) ?? Term.Zero;
        LastTerm = _terms.GetValueOrDefault(LastIndex.Value);
    }

    public LogIndex FirstIndex => _stored.FirstIndex;

    public LogIndex LastIndex { get; private set; }

    public Term LastTerm { get; private set; }

    public Term LeadsTerm { get; set; }

    public LogIndex CommitIndex { get; set; }

    public LogIndex AppliedIndex { get; set; }

    /// <summary>
    /// While it leads: where memberships stand and who has to agree by each, from the one in effect at the last commit, or when the term began, on.
    /// </summary>
    public List<(long Index, Halves Halves)> Memberships { get; } = [];

    public static ulong ChecksumOf(LogEntry entry) => BinaryPrimitives.ReadUInt32LittleEndian(entry.Bytes.Span[ChecksumOffset..]);

    /// <summary>Null for what the log does not hold; a checkpoint may have replaced entries that were never committed.</summary>
    public LogEntry? Find(LogIndex index) =>
        index < FirstIndex || !_terms.TryGetValue(index.Value, out Term term) ? null : _known(term, index);

    /// <summary>
    /// Takes over what is new or was overwritten; for each the caller is told the one in front of it, null when that is not known any more.
    /// </summary>
    public void Update(LogIndex last, Term lastTerm, Action<LogEntry, LogEntry?> changed)
    {
        for (long at = last.Value + 1; at <= LastIndex.Value; at++) _terms.Remove(at);

        // The same term at an index is the same entry, or the caller finds that it is not.
        long from = last.Value;
        while (from >= _stored.FirstIndex.Value && !(_terms.TryGetValue(from, out Term term) && term == _stored.TermAt(new LogIndex(from)))) from--;
        from = Math.Max(from + 1, _stored.FirstIndex.Value);
        while (from <= last.Value)
        {
            _read.Clear();
            if (_stored.Read(new LogIndex(from), last, ReadBytes, _read) == 0) break;
            foreach (LogEntry entry in _read)
            {
                _terms[entry.Index.Value] = entry.Term;
                changed(entry, Find(entry.Index.Previous));
            }

            from = _read[^1].Index.Value + 1;
        }

        LastIndex = last;
        LastTerm = lastTerm;
    }
}
