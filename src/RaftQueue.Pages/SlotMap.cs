using System.Numerics;

namespace RaftQueue.Pages;

/// <summary>Which slots of a checkpoint file something uses. Not thread-safe.</summary>
internal sealed class SlotMap
{
    private ulong[] _words = [];

    public bool Contains(uint slot) => slot >> 6 < (uint)_words.Length && (_words[slot >> 6] >> (int)(slot & 63) & 1) != 0;

    /// <summary>False when it was there already.</summary>
    public bool Add(uint slot)
    {
        int word = (int)(slot >> 6);
        if (word >= _words.Length) Array.Resize(ref _words, Math.Max(word + 1, _words.Length * 3 / 2));
        ulong bit = 1UL << (int)(slot & 63);
        bool added = (_words[word] & bit) == 0;
        _words[word] |= bit;
        return added;
    }

    public void Remove(uint slot)
    {
        if (Contains(slot)) _words[slot >> 6] &= ~(1UL << (int)(slot & 63));
    }

    public void AddAll(SlotMap other)
    {
        if (other._words.Length > _words.Length) Array.Resize(ref _words, other._words.Length);
        for (int i = 0; i < other._words.Length; i++) _words[i] |= other._words[i];
    }

    public void RemoveAll(SlotMap other)
    {
        int words = Math.Min(_words.Length, other._words.Length);
        for (int i = 0; i < words; i++) _words[i] &= ~other._words[i];
    }

    /// <summary>Words of 64 slots.</summary>
    public int Words => _words.Length;

    /// <summary>Takes those of the word's 64 slots out that <paramref name="other"/> does not have; one bit for each.</summary>
    public ulong TakeWordWithout(int word, SlotMap other)
    {
        ulong taken = _words[word] & other.Absent((uint)word);
        _words[word] &= ~taken;
        return taken;
    }

    public SlotMap Clone() => new() { _words = (ulong[])_words.Clone() };

    /// <summary>One above the highest slot in the map; 0 when it is empty.</summary>
    public uint End
    {
        get
        {
            int word = _words.Length - 1;
            while (word >= 0 && _words[word] == 0) word--;
            return word < 0 ? 0 : ((uint)word << 6) + 64 - (uint)BitOperations.LeadingZeroCount(_words[word]);
        }
    }

    public long Count()
    {
        long count = 0;
        foreach (ulong word in _words) count += BitOperations.PopCount(word);
        return count;
    }

    /// <summary>The lowest slot at or after <paramref name="from"/> that is not in the map.</summary>
    public uint NextAbsent(uint from)
    {
        for (uint word = from >> 6; word < (uint)_words.Length; word++)
        {
            ulong absent = ~_words[word];
            if (word == from >> 6) absent &= ulong.MaxValue << (int)(from & 63);
            if (absent != 0) return (word << 6) + (uint)BitOperations.TrailingZeroCount(absent);
        }

        return Math.Max(from, (uint)_words.Length << 6);
    }

    /// <summary>The lowest slot at or after <paramref name="from"/> that is in the map; at or behind <see cref="End"/> when there is none.</summary>
    public uint NextPresent(uint from)
    {
        for (uint word = from >> 6; word < (uint)_words.Length; word++)
        {
            ulong present = _words[word];
            if (word == from >> 6) present &= ulong.MaxValue << (int)(from & 63);
            if (present != 0) return (word << 6) + (uint)BitOperations.TrailingZeroCount(present);
        }

        return Math.Max(from, (uint)_words.Length << 6);
    }

    /// <summary>
    /// The lowest of <paramref name="length"/> (at most 64) adjacent slots from <paramref name="from"/> on and below
    /// <paramref name="end"/> none of which is in the map. 64 slots are looked at in one step.
    /// </summary>
    public bool TryFindAbsent(uint from, uint end, int length, out uint first)
    {
        for (uint word = from >> 6; (word << 6) + (ulong)length <= end; word++)
        {
            UInt128 absent = new(Absent(word + 1), Absent(word));
            if (word == from >> 6) absent &= UInt128.MaxValue << (int)(from & 63);
            for (int known = 1; known < length && absent != 0;)
            {
                int step = Math.Min(known, length - known);
                absent &= absent >> step;
                known += step;
            }

            ulong starts = (ulong)absent;
            if (starts == 0) continue;
            first = (word << 6) + (uint)BitOperations.TrailingZeroCount(starts);
            return first + (ulong)length <= end;
        }

        first = 0;
        return false;
    }

    private ulong Absent(uint word) => word < (uint)_words.Length ? ~_words[word] : ulong.MaxValue;
}
