using System.Numerics;
using RaftQueue.Primitives;

namespace RaftQueue.Pages;

/// <summary>
/// A set of small numbers as a bitmap with summaries: each level's bit tells that the word below it is not zero, so that
/// the lowest member at or above a number is found in a few steps however sparse the set is. Not thread-safe.
/// </summary>
internal sealed class PageSet
{
    private const int LevelCount = 4; // 64^4 = 16,777,216 numbers
    private readonly ulong[][] _levels = [new ulong[1], new ulong[1], new ulong[1], new ulong[1]];

    public int Count { get; private set; }

    public bool Contains(uint value)
    {
        uint word = value >> 6;
        return word < (uint)_levels[0].Length && (_levels[0][word] >> (int)(value & 63) & 1) != 0;
    }

    /// <summary>False when it was there already.</summary>
    public bool Add(uint value)
    {
        Invariant.That(value < 1u << (6 * LevelCount), "a page number is within the largest store");
        if (Contains(value)) return false;
        Count++;
        for (int level = 0; level < LevelCount; level++)
        {
            uint word = value >> 6;
            ref ulong[] words = ref _levels[level];
            if (word >= (uint)words.Length) Array.Resize(ref words, (int)BitOperations.RoundUpToPowerOf2(word + 1));
            bool summarized = words[word] != 0;
            words[word] |= 1UL << (int)(value & 63);
            if (summarized) break;
            value = word;
        }

        return true;
    }

    /// <summary>False when it was not there.</summary>
    public bool Remove(uint value)
    {
        if (!Contains(value)) return false;
        Count--;
        for (int level = 0; level < LevelCount; level++)
        {
            uint word = value >> 6;
            ulong[] words = _levels[level];
            words[word] &= ~(1UL << (int)(value & 63));
            if (words[word] != 0) break;
            value = word;
        }

        return true;
    }

    /// <summary>The lowest member at or above <paramref name="from"/>, or null.</summary>
    public uint? NextFrom(uint from)
    {
        uint value = from;
        for (int level = 0; level < LevelCount; level++)
        {
            uint word = value >> 6;
            if (word >= (uint)_levels[level].Length) return null;
            ulong rest = _levels[level][word] & (ulong.MaxValue << (int)(value & 63));
            if (rest != 0) return Descend(level, (word << 6) + (uint)BitOperations.TrailingZeroCount(rest));
            value = word + 1;
        }

        return null;
    }

    private uint Descend(int level, uint value)
    {
        while (level > 0)
        {
            level--;
            value = (value << 6) + (uint)BitOperations.TrailingZeroCount(_levels[level][value]);
        }

        return value;
    }
}
