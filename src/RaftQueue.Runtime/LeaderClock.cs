using RaftQueue.Consensus;
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

    /// <summary>A sample of this peer is young enough to count.</summary>
    public bool HasHeard(NodeId peer) =>
        _samples.TryGetValue(peer, out Sample sample) && clock.MonotonicMicroseconds - sample.TakenAt <= SampleLifeMicroseconds;

    /// <summary>
    /// Leadership begins: one step to the median, but never behind <paramref name="lastStampMs"/>. The votes of a majority came with
    /// samples.
    /// </summary>
    public void Start(long lastStampMs, IReadOnlyList<MemberInfo> voters)
    {
        long now = clock.MonotonicMicroseconds;
        Collect(now, voters);
        long offset = Math.Max(Median(), (lastStampMs * 1000) - now);
        _slewedAt = now;
        Volatile.Write(ref _offsetMicroseconds, offset);
    }

    /// <summary>
    /// Moves toward the median by at most a tenth of the time since the last call; not without fresh samples of a majority, as after
    /// a pause: the own clock alone may be the wrong one.
    /// </summary>
    public void Slew(IReadOnlyList<MemberInfo> voters)
    {
        long now = clock.MonotonicMicroseconds;
        long step = (now - _slewedAt) * MaxSlewPercent / 100;
        if (step <= 0) return;
#if PLANTED_BUGS
        if (PlantedBugs.Has(PlantedBug.ClusterTimeJumps)) step = long.MaxValue;
#endif
        _slewedAt = now;
        Collect(now, voters);
        if (_offsets.Count <= voters.Count / 2) return;
        long offset = _offsetMicroseconds;
        Volatile.Write(ref _offsetMicroseconds, offset + Math.Clamp(Median() - offset, -step, step));
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

    /// <summary>The own offset and those that the other voters told lately, in order.</summary>
    private void Collect(long now, IReadOnlyList<MemberInfo> voters)
    {
        _offsets.Clear();
        _offsets.Add((clock.WallUnixMs * 1000) - now);
        foreach (MemberInfo voter in voters)
        {
            if (_samples.TryGetValue(voter.Id, out Sample sample) && now - sample.TakenAt <= SampleLifeMicroseconds)
                _offsets.Add(sample.OffsetMicroseconds);
        }

        _offsets.Sort();
    }

    /// <summary>Of two the lower.</summary>
    private long Median() => _offsets[(_offsets.Count - 1) / 2];

    private readonly record struct Sample(long OffsetMicroseconds, long TakenAt);
}
