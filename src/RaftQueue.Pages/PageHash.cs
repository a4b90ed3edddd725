using System.Numerics;
using System.Runtime.InteropServices;
using RaftQueue.Primitives;

namespace RaftQueue.Pages;

/// <summary>
/// A 64-bit hash that finds accidental differences between pages; it resists nobody who looks for collisions. Four lanes
/// of add, rotate and multiply (each step a bijection of the lane), joined by a finalizer.
/// </summary>
internal static class PageHash
{
    private const ulong First = 0x9FB21C651E98DF25;
    private const ulong Second = 0xD6E8FEB86659FD93;

    /// <summary>The hash of one page; never zero, which stands for no page.</summary>
    public static ulong OfPage(ReadOnlySpan<byte> page)
    {
        Invariant.That(page.Length == PageStore.PageSize, "a page is hashed whole");
        return Of(MemoryMarshal.Cast<byte, ulong>(page), 0);
    }

    /// <summary>The hash of a multiple of four words; never zero. The words are taken as little endian.</summary>
    public static ulong Of(ReadOnlySpan<ulong> words, ulong seed)
    {
        ulong a = seed + First, b = seed ^ Second, c = seed - First, d = ~seed;
        for (int i = 0; i + 3 < words.Length; i += 4)
        {
            a = Step(a, words[i]);
            b = Step(b, words[i + 1]);
            c = Step(c, words[i + 2]);
            d = Step(d, words[i + 3]);
        }

        ulong hash = SplitMix64.Mix(a);
        hash = SplitMix64.Mix(hash + b);
        hash = SplitMix64.Mix(hash + c);
        hash = SplitMix64.Mix(hash + d + (ulong)words.Length);
        return hash == 0 ? 1 : hash;
    }

    private static ulong Step(ulong lane, ulong word) => BitOperations.RotateLeft(lane + (word * Second), 31) * First;
}
