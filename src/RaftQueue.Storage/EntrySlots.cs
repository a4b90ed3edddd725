using RaftQueue.Primitives;

namespace RaftQueue.Storage;

/// <summary>A shard's entries in order of index, contiguous: a ring that grows, cut at both ends in constant time each. Not thread-safe.</summary>
internal sealed class EntrySlots
{
    private const int FirstCapacity = 64;

    private EntrySlot[] _ring = new EntrySlot[FirstCapacity];
    private int _start;

    public int Count { get; private set; }

    /// <summary>The entry in front of the first.</summary>
    public LogPosition Base { get; private set; }

    public LogIndex FirstIndex => Base.Index.Next;

    public LogPosition Last => Count == 0 ? Base : new LogPosition(At(Base.Index + Count).Term, Base.Index + Count);

    public bool Holds(LogIndex index) => index > Base.Index && index - Base.Index <= Count;

    public ref EntrySlot At(LogIndex index)
    {
        Invariant.That(Holds(index), "only held entries are looked up");
        return ref _ring[(_start + (int)(index - Base.Index) - 1) & (_ring.Length - 1)];
    }

    /// <summary>The term of a held entry or of the one in front of the first.</summary>
    public Term? TermAt(LogIndex index) => index == Base.Index ? Base.Term : Holds(index) ? At(index).Term : null;

    public bool Contains(LogPosition position) => TermAt(position.Index) == position.Term;

    public void Add(EntrySlot slot)
    {
        if (Count == _ring.Length) Grow();
        _ring[(_start + Count) & (_ring.Length - 1)] = slot;
        Count++;
    }

    /// <summary>Drops the entries behind <paramref name="index"/>, which is held or the base.</summary>
    public void CutAfter(LogIndex index)
    {
        Invariant.That(index >= Base.Index, "a cut is not before the base");
        while (Count > 0 && Base.Index + Count > index)
        {
            At(Base.Index + Count) = default;
            Count--;
        }
    }

    /// <summary>Drops the entries up to <paramref name="index"/>, which is held or the base.</summary>
    public void CutThrough(LogIndex index)
    {
        while (Base.Index < index)
        {
            LogIndex first = FirstIndex;
            ref EntrySlot slot = ref At(first);
            Base = new LogPosition(slot.Term, first);
            slot = default;
            _start = (_start + 1) & (_ring.Length - 1);
            Count--;
        }
    }

    public void Reset(LogPosition newBase)
    {
        _ring = new EntrySlot[FirstCapacity];
        _start = 0;
        Count = 0;
        Base = newBase;
    }

    private void Grow()
    {
        var larger = new EntrySlot[_ring.Length * 2];
        for (int index = 0; index < Count; index++)
        {
            larger[index] = _ring[(_start + index) & (_ring.Length - 1)];
        }

        _ring = larger;
        _start = 0;
    }
}
