using RaftQueue.Primitives;

namespace RaftQueue.Consensus;

/// <summary>
/// The membership in effect: the newest in the log, committed or not (Raft thesis 4.1), and the ones before it that come back
/// when it is truncated.
/// </summary>
internal sealed class Membership
{
    private readonly List<(LogIndex Index, MembershipRecord Record)> _history = [];

    /// <summary>Null while the node holds none.</summary>
    public MembershipRecord? Current => _history.Count == 0 ? null : _history[^1].Record;

    /// <summary>Where the one in effect stands; zero for a provisional one or none.</summary>
    public LogIndex CurrentIndex => _history.Count == 0 ? LogIndex.Zero : _history[^1].Index;

    /// <summary>Of a first start: in effect until the first entry is held.</summary>
    public void SetProvisional(MembershipRecord record)
    {
        Invariant.That(_history.Count == 0 || CurrentIndex.Value == 0, "a provisional membership comes before all others");
        _history.Clear();
        _history.Add((LogIndex.Zero, record));
    }

    public void Append(LogIndex index, MembershipRecord record)
    {
        Invariant.That(_history.Count == 0 || index > CurrentIndex, "memberships stand in log order");
        _history.Add((index, record));
    }

    /// <summary>Entries from <paramref name="index"/> on are gone. True when another membership is in effect now.</summary>
    public bool Truncate(LogIndex index)
    {
#if PLANTED_BUGS
        if (PlantedBugs.Has(PlantedBug.MembershipKeptOnTruncation)) return false;
#endif
        int before = _history.Count;
        while (_history.Count > 0 && CurrentIndex >= index && CurrentIndex.Value > 0) _history.RemoveAt(_history.Count - 1);
        return _history.Count != before;
    }

    /// <summary>A checkpoint with this membership covers everything up to <paramref name="index"/>.</summary>
    public void Compact(LogIndex index, MembershipRecord record)
    {
        int covered = _history.FindLastIndex(held => held.Index <= index);
        if (covered >= 0)
        {
            (LogIndex at, MembershipRecord held) = _history[covered];
            Invariant.That(at.Value == 0 || held.Equals(record), "a checkpoint holds the membership in effect at its index");
        }

        _history.RemoveRange(0, covered + 1);
        _history.Insert(0, (index, record));
    }

    /// <summary>The log was replaced by a checkpoint.</summary>
    public void Reset(LogIndex index, MembershipRecord record)
    {
        _history.Clear();
        _history.Add((index, record));
    }
}
