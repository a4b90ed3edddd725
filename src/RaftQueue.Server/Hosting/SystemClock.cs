using System.Diagnostics;
using RaftQueue.Primitives;

namespace RaftQueue.Server.Hosting;

/// <summary>The machine's clocks.</summary>
public sealed class SystemClock : IClock
{
    public long MonotonicMicroseconds =>
        (long)((UInt128)(ulong)Stopwatch.GetTimestamp() * 1_000_000 / (ulong)Stopwatch.Frequency);

    public long WallUnixMs => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
}
