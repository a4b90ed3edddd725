namespace RaftQueue.Simulation;

/// <summary>How much was compared of pages at equal index.</summary>
/// <param name="Times">How often those of two were.</param>
/// <param name="Checkpoints">Of these, with a checkpoint.</param>
/// <param name="HighestIndex">The highest index at which two were.</param>
internal readonly record struct PagesCompared(long Times, long Checkpoints, long HighestIndex)
{
    public static PagesCompared operator +(PagesCompared one, PagesCompared other) =>
        new(one.Times + other.Times, one.Checkpoints + other.Checkpoints, Math.Max(one.HighestIndex, other.HighestIndex));
}
