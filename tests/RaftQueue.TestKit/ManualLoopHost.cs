using RaftQueue.Primitives;

namespace RaftQueue.TestKit;

/// <summary>
/// Runs all loops on the caller's thread, one slice at a time, the next one drawn by a seeded generator from those
/// that are due. Exceptions leave <see cref="RunSlice"/>; nothing is hidden in a handler.
/// </summary>
public sealed class ManualLoopHost(IClock clock, ulong seed) : ILoopHost
{
    private readonly SplitMix64 _random = new(seed);
    private readonly List<Loop> _loops = [];

    /// <summary>The earliest time at which a loop wants to run; <see cref="ILoopBody.Never"/> when none does.</summary>
    public long NextDueMicroseconds
    {
        get
        {
            long next = ILoopBody.Never;
            foreach (Loop loop in _loops)
            {
                next = Math.Min(next, loop.RunsAt);
            }

            return next;
        }
    }

    /// <summary>The name of the loop that ran last.</summary>
    public string? LastLoop { get; private set; }

    /// <summary>Slices that ran.</summary>
    public long Slices { get; private set; }

    /// <summary>Over every slice: when it ran and whose it was. Equal for two runs that did the same.</summary>
    public ulong Digest { get; private set; }

    public ILoopHandle Start(string name, ILoopBody body)
    {
        var loop = new Loop(this, name, body, _loops.Count);
        _loops.Add(loop);
        return loop;
    }

    /// <summary>Told the name of a loop that begins to stand still (true), in the middle of a slice as it were, or goes on (false).</summary>
    public Action<string, bool>? Stands { get; set; }

    /// <summary>The loops of this name do not run before a time, whatever wakes them: a slow disk, a busy core.</summary>
    public void Hold(string name, long untilMicroseconds)
    {
        foreach (Loop loop in _loops)
        {
            if (loop.ToString() == name) loop.Hold(clock.MonotonicMicroseconds, untilMicroseconds);
        }
    }

    /// <summary>Since when a loop of this name stands still; null while none does.</summary>
    public long? StandsSince(string name)
    {
        long now = clock.MonotonicMicroseconds;
        foreach (Loop loop in _loops)
        {
            if (loop.ToString() == name && loop.HeldUntil > now) return loop.HeldSince;
        }

        return null;
    }

    /// <summary>Until a time, the loops of this name stand still for so long after each slice: every call to the disk takes its time.</summary>
    public void Slow(string name, long microsecondsASlice, long untilMicroseconds)
    {
        foreach (Loop loop in _loops)
        {
            if (loop.ToString() != name) continue;
            loop.SliceTakes = microsecondsASlice;
            loop.SlowUntil = untilMicroseconds;
        }
    }

    /// <summary>Runs one slice of one loop that is due. False when none is.</summary>
    public bool RunSlice()
    {
        long now = clock.MonotonicMicroseconds;
        int due = 0;
        foreach (Loop loop in _loops)
        {
            if (loop.RunsAt <= now) due++;
        }

        if (due == 0) return false;
        int drawn = due == 1 ? 0 : (int)_random.NextBelow(due);
        foreach (Loop loop in _loops)
        {
            if (loop.RunsAt > now || drawn-- > 0) continue;
            Slices++;
            Digest = SplitMix64.Mix(Digest ^ (ulong)now) + (ulong)loop.Number;
            LastLoop = loop.ToString();
            loop.Run(now);
            break;
        }

        return true;
    }

    /// <summary>Runs until nothing is due at the present time, at most <paramref name="maxSlices"/> slices; returns how many ran.</summary>
    public int RunUntilIdle(int maxSlices = 100_000)
    {
        int slices = 0;
        while (slices < maxSlices && RunSlice())
        {
            slices++;
        }

        return slices;
    }

    private sealed class Loop(ManualLoopHost host, string name, ILoopBody body, int number) : ILoopHandle
    {
        public int Number => number;

        public long DueAt { get; private set; }

        private bool _stands;

        public long HeldUntil { get; private set; }

        public long HeldSince { get; private set; }

        public long SliceTakes { get; set; }

        public long SlowUntil { get; set; }

        public long RunsAt => _stands ? HeldUntil : DueAt;

        public void Run(long now)
        {
            if (_stands)
            {
                _stands = false;
                host.Stands?.Invoke(name, false);
                if (DueAt > now) return;
            }

            DueAt = ILoopBody.Never;
            long next = body.RunOnce();
            DueAt = Math.Min(DueAt, next);
            if (now < SlowUntil && now + SliceTakes > HeldUntil) Hold(now, now + SliceTakes);
        }

        public void Hold(long now, long until)
        {
            HeldUntil = until;
            if (_stands || until <= now) return;
            _stands = true;
            HeldSince = now;
            host.Stands?.Invoke(name, true);
        }

        public void Wake() => DueAt = 0;

        public void Stop() => host._loops.Remove(this);

        public override string ToString() => name;
    }
}
