namespace RaftQueue.Primitives;

/// <summary>Randomness as an input, so that a simulation can replay it.</summary>
public interface IRandomSource
{
    /// <summary>Uniform over all 64-bit values.</summary>
    ulong NextUInt64();
}
