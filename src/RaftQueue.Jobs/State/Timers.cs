using RaftQueue.Jobs.Structures;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs.State;

/// <summary>All timers of the shard in one tree, by (time, kind, sequence).</summary>
internal sealed class Timers(OrderedTree tree)
{
    private const int KindShift = 52;
    private const long SequenceMask = (1L << KindShift) - 1;

    public long Count => tree.Count;

    /// <summary>Unix ms; <see cref="long.MaxValue"/> when there is none.</summary>
    public long NextMs => tree.TryFirst(out TreeEntry first) ? first.Time : long.MaxValue;

    public void Initialize() => tree.Initialize();

    public void Insert(TimerKind kind, long time, ulong sequence, long value) =>
        Invariant.That(tree.Insert(Entry(kind, time, sequence, value)), "a timer is set once");

    public void Remove(TimerKind kind, long time, ulong sequence, long value) =>
        Invariant.That(tree.Remove(Entry(kind, time, sequence, value)), "a timer that is taken back was set");

    /// <summary>The earliest, when it is due.</summary>
    public bool TryDue(long now, out TimerKind kind, out TreeEntry entry)
    {
        bool due = tree.TryFirst(out entry) && entry.Time <= now;
        kind = due ? (TimerKind)(entry.Sequence >> KindShift) : TimerKind.None;
        return due;
    }

    /// <summary>The earliest that are due; returns how many.</summary>
    public int CopyDue(long now, Span<TreeEntry> into) => tree.CopyThrough(now, into);

    /// <summary>What a timer that was copied is for.</summary>
    public static TimerKind KindOf(in TreeEntry entry) => (TimerKind)(entry.Sequence >> KindShift);

    public void Remove(in TreeEntry entry) => Invariant.That(tree.Remove(entry), "the earliest timer is there");

    private static TreeEntry Entry(TimerKind kind, long time, ulong sequence, long value)
    {
        Invariant.That(sequence <= (ulong)SequenceMask, "a shard enqueues fewer than 2^52 jobs");
        return new TreeEntry(time, ((long)kind << KindShift) | (long)sequence, value);
    }
}
