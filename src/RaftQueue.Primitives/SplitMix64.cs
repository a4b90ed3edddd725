namespace RaftQueue.Primitives;

/// <summary>A small seeded generator (Steele, Lea, Flood 2014). Not for secrets. Not thread-safe.</summary>
public sealed class SplitMix64(ulong seed) : IRandomSource
{
    private ulong _state = seed;

    public ulong NextUInt64()
    {
        _state += 0x9E3779B97F4A7C15;
        return Mix(_state);
    }

    /// <summary>The generator's finalizer: a bijection that spreads every input bit over the output.</summary>
    public static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
