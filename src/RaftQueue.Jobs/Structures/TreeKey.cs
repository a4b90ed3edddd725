using RaftQueue.Primitives;

namespace RaftQueue.Jobs.Structures;

/// <summary>
/// A <see cref="TreeEntry"/> as one 152-bit number, most significant part first: time (48) and the sequence's upper 16 bits;
/// its lower 40 and the value's upper 24; the value's lower 24.
/// </summary>
internal readonly struct TreeKey(ulong high, ulong middle, uint low)
{
    public readonly ulong High = high;
    public readonly ulong Middle = middle;
    public readonly uint Low = low;

    public static TreeKey From(in TreeEntry entry)
    {
        Invariant.That((ulong)entry.Time <= TreeEntry.MaxTime, "a tree's time has 48 bits");
        Invariant.That((ulong)entry.Sequence <= TreeEntry.MaxSequence, "a tree's sequence has 56 bits");
        Invariant.That((ulong)entry.Value <= TreeEntry.MaxValue, "a tree's value has 48 bits");
        return new TreeKey(
            ((ulong)entry.Time << 16) | ((ulong)entry.Sequence >> 40),
            ((ulong)entry.Sequence << 24) | ((ulong)entry.Value >> 24),
            (uint)entry.Value & 0xFFFFFF);
    }

    public TreeEntry ToEntry() => new(
        (long)(High >> 16),
        (long)(((High & 0xFFFF) << 40) | (Middle >> 24)),
        (long)(((Middle & 0xFFFFFF) << 24) | Low));

    public bool IsLessThan(in TreeKey other) => High != other.High
        ? High < other.High
        : Middle != other.Middle ? Middle < other.Middle : Low < other.Low;

    public bool IsSameAs(in TreeKey other) => High == other.High && Middle == other.Middle && Low == other.Low;
}
