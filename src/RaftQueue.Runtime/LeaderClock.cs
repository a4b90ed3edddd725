using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>
/// The cluster's time while this node leads: its monotonic clock plus an offset. The offset is set in one step when
/// leadership begins, to the median of a majority's wall clocks, and only slewed afterwards, so that no jump of one
/// machine's clock makes a job early. Written by the replica loop; <see cref="NowMs"/> may be read from any thread.
/// </summary>
internal sealed class LeaderClock(IClock clock)
{
    private const long SampleLifeMicroseconds = 10_000_000;
    private const long MaxSlewPercent = 10;

    private readonly Dictionary<NodeId, Sample> _samples = [];
    private readonly List<long> _offsets = [];
    private long _offsetMicroseconds;
    private long _slewedAt;

    /// <summary>A peer said what its wall clock showed.</summary>
    public void Observe(NodeId peer, long wallUnixMs)
    {
        long now = clock.MonotonicMicroseconds;
        _samples[peer] = new Sample((wallUnixMs * 1000) - now, now);
    }

    /// <summary>Leadership begins: one step to the median, but never behind <paramref name="lastStampMs"/>.</summary>
    public void Start(long lastStampMs)
    {
        long now = clock.MonotonicMicroseconds;
        long offset = Math.Max(MedianOffset(now), (lastStampMs * 1000) - now);
        _slewedAt = now;
        Volatile.Write(ref _offsetMicroseconds, offset);
    }

    /// <summary>Moves toward the median by at most a tenth of the time since the last call.</summary>
    public void Slew()
    {
        long now = clock.MonotonicMicroseconds;
        long step = (now - _slewedAt) * MaxSlewPercent / 100;
        if (step <= 0) return;
        _slewedAt = now;
        long offset = _offsetMicroseconds;
        Volatile.Write(ref _offsetMicroseconds, offset + Math.Clamp(MedianOffset(now) - offset, -step, step));
    }

    /// <summary>Cluster time, Unix milliseconds; meaningful while this node leads.</summary>
    public long NowMs => (clock.MonotonicMicroseconds + Offset) / 1000;

    /// <summary>The monotonic time at which <see cref="NowMs"/> will show <paramref name="unixMs"/>.</summary>
    public long MonotonicMicrosecondsAt(long unixMs) =>
        unixMs >= long.MaxValue / 1000 ? long.MaxValue : (unixMs * 1000) - Offset;

    private long Offset
    {
        get
        {
#if PLANTED_BUGS
            if (PlantedBugs.Has(PlantedBug.WallClockStamps)) return (clock.WallUnixMs * 1000) - clock.MonotonicMicroseconds;
#endif
            return Volatile.Read(ref _offsetMicroseconds);
        }
    }

    private long MedianOffset(long now)
    {
        _offsets.Clear();
        _offsets.Add((clock.WallUnixMs * 1000) - now);
        foreach (Sample sample in _samples.Values)
        {
            if (now - sample.TakenAt <= SampleLifeMicroseconds) _offsets.Add(sample.OffsetMicroseconds);
        }

        _offsets.Sort();
        return _offsets[(_offsets.Count - 1) / 2];
    }

    private readonly record struct Sample(long OffsetMicroseconds, long TakenAt);
}
