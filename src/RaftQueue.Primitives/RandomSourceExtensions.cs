namespace RaftQueue.Primitives;

/// <summary>What callers draw from an <see cref="IRandomSource"/>.</summary>
public static class RandomSourceExtensions
{
    /// <summary>Uniform in [0, <paramref name="exclusiveMax"/>); <paramref name="exclusiveMax"/> is at least 1.</summary>
    public static long NextBelow(this IRandomSource random, long exclusiveMax)
    {
        Invariant.That(exclusiveMax > 0, "a range to draw from is not empty");
        return (long)(((UInt128)random.NextUInt64() * (UInt128)(ulong)exclusiveMax) >> 64);
    }
}
