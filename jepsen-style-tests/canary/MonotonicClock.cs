using System.Diagnostics;
using RaftQueue.Primitives;

namespace RaftQueue.Canary;

internal sealed class MonotonicClock : IClock
{
    public long MonotonicMicroseconds => Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1_000_000);

    public long WallUnixMs => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
}
