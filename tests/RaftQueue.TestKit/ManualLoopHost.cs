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
    private readonly List<Loop> _due = [];

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

    public ILoopHandle Start(string name, ILoopBody body)
    {
        var loop = new Loop(this, name, body);
        _loops.Add(loop);
        return loop;
    }

    /// <summary>The loops of this name do not run before a time, whatever wakes them: a slow disk, a busy core.</summary>
    public void Hold(string name, long untilMicroseconds)
    {
        foreach (Loop loop in _loops)
        {
            if (loop.ToString() == name) loop.HeldUntil = untilMicroseconds;
        }
    }

    /// <summary>Runs one slice of one loop that is due. False when none is.</summary>
    public bool RunSlice()
    {
        long now = clock.MonotonicMicroseconds;
        _due.Clear();
        foreach (Loop loop in _loops)
        {
            if (loop.RunsAt <= now) _due.Add(loop);
        }

        if (_due.Count == 0) return false;
        _due[(int)_random.NextBelow(_due.Count)].Run();
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

    private sealed class Loop(ManualLoopHost host, string name, ILoopBody body) : ILoopHandle
    {
        public long DueAt { get; private set; }

        public long HeldUntil { get; set; }

        public long RunsAt => Math.Max(DueAt, HeldUntil);

        public void Run()
        {
            DueAt = ILoopBody.Never;
            long next = body.RunOnce();
            DueAt = Math.Min(DueAt, next);
        }

        public void Wake() => DueAt = 0;

        public void Stop() => host._loops.Remove(this);

        public override string ToString() => name;
    }
}
