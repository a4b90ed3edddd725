using RaftQueue.Primitives;

namespace RaftQueue.Jobs.Tests.Model;

/// <summary>Draws a step's choices from its seed.</summary>
public sealed class Choices(int seed)
{
    private readonly SplitMix64 _random = new((ulong)seed);

    public int Below(int count) => (int)_random.NextBelow(count);

    public bool OneIn(int count) => Below(count) == 0;

    public T Of<T>(params T[] values) => values[Below(values.Length)];
}
