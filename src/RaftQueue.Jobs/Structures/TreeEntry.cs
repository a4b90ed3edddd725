namespace RaftQueue.Jobs.Structures;

/// <summary>An entry of an <see cref="OrderedTree"/>; the order is time, then sequence, then value.</summary>
/// <param name="Time">Unix milliseconds, 0 to 2^48 - 1.</param>
/// <param name="Sequence">0 to 2^56 - 1.</param>
/// <param name="Value">Usually a slot, 0 to 2^48 - 1.</param>
public readonly record struct TreeEntry(long Time, long Sequence, long Value)
{
    /// <summary>The largest time.</summary>
    public const long MaxTime = (1L << 48) - 1;

    /// <summary>The largest sequence.</summary>
    public const long MaxSequence = (1L << 56) - 1;

    /// <summary>The largest value.</summary>
    public const long MaxValue = (1L << 48) - 1;
}
