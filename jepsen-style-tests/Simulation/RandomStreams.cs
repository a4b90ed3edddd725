using RaftQueue.Primitives;

namespace RaftQueue.Simulation;

/// <summary>
/// All randomness of a run, by name: each stream is derived from the seed, the name and up to two numbers, so that what one part of
/// a run draws (or no longer draws, when a schedule is shrunk) changes nothing for the others.
/// </summary>
internal readonly record struct RandomStreams(ulong Seed)
{
    private const ulong FnvOffset = 14695981039346656037;
    private const ulong FnvPrime = 1099511628211;

    public SplitMix64 Open(string name, long first = 0, long second = 0) => new(SeedOf(name, first, second));

    public ulong SeedOf(string name, long first = 0, long second = 0)
    {
        ulong hash = FnvOffset;
        foreach (char character in name) hash = (hash ^ character) * FnvPrime;
        hash = SplitMix64.Mix(hash + Seed);
        hash = SplitMix64.Mix(hash + (ulong)first);
        return SplitMix64.Mix(hash ^ (ulong)second);
    }
}
