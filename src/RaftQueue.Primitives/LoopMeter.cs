using System.Globalization;
using System.Text;

namespace RaftQueue.Primitives;

/// <summary>
/// Tells why a loop was away: the loop names each thing that it begins, which costs it a reading of the clock and plain stores, and a turn
/// that took long is told in one line with what it spent its time on. Used by its loop alone; <see cref="Longest"/> by any thread.
/// </summary>
/// <param name="loop">Its name.</param>
/// <param name="clock">What times are measured by.</param>
/// <param name="usage">Of the calling thread; null where nobody can say.</param>
/// <param name="tell">Gets the lines, at most one a second.</param>
public sealed class LoopMeter(string loop, IClock clock, Func<ThreadUsage>? usage, Action<string> tell)
{
    /// <summary>A turn that took longer is told.</summary>
    public const long LongMicroseconds = 100_000;

    private const long UsageMicroseconds = 20_000;
    private const long TellMicroseconds = 1_000_000;

    private static readonly LoopPhase[] Phases = Enum.GetValues<LoopPhase>();

    private readonly long[] _longest = new long[Phases.Length]; // in one piece
    private readonly long[] _spent = new long[Phases.Length];   // in this turn
    private int _phase;
    private long _phaseBegan;
    private long _turnBegan;
    private long _usedAt = long.MinValue / 2;
    private ThreadUsage _used;
    private long _toldAt = long.MinValue / 2;
    private int _untold;

    public string Loop => loop;

    /// <summary>What the loop is at. Any thread.</summary>
    public LoopPhase Phase => (LoopPhase)Volatile.Read(ref _phase);

    /// <summary>The longest time in microseconds that was spent at one thing without beginning another. Any thread.</summary>
    public long Longest(LoopPhase phase) => Volatile.Read(ref _longest[(int)phase]);

    /// <summary>A turn begins, with this.</summary>
    public void Begin(LoopPhase phase)
    {
        long now = clock.MonotonicMicroseconds;
        Array.Clear(_spent);
        _turnBegan = _phaseBegan = now;
        _phase = (int)phase;
        if (usage is null || now - _usedAt < UsageMicroseconds) return;
        _usedAt = now;
        _used = usage();
    }

    /// <summary>Something else begins. Returns what the loop was at, for who comes back to it.</summary>
    public LoopPhase Enter(LoopPhase phase)
    {
        long now = clock.MonotonicMicroseconds;
        var before = (LoopPhase)_phase;
        EndPhase(now);
        _phaseBegan = now;
        _phase = (int)phase;
        return before;
    }

    /// <summary>The turn is over.</summary>
    public void End()
    {
        long now = clock.MonotonicMicroseconds;
        EndPhase(now);
        _phase = (int)LoopPhase.Other;
        if (now - _turnBegan < LongMicroseconds) return;
        if (now - _toldAt < TellMicroseconds)
        {
            _untold++;
            return;
        }

        tell(Describe(now));
        _toldAt = now;
        _untold = 0;
    }

    private void EndPhase(long now)
    {
        long took = now - _phaseBegan;
        _spent[_phase] += took;
        if (took > _longest[_phase]) Volatile.Write(ref _longest[_phase], took);
    }

    private string Describe(long now)
    {
        var line = new StringBuilder();
        line.Append(CultureInfo.InvariantCulture, $"the {loop} loop was away for {(now - _turnBegan) / 1000} ms:");
        foreach (LoopPhase phase in Phases.OrderByDescending(phase => _spent[(int)phase]))
        {
            if (_spent[(int)phase] >= 1000) line.Append(CultureInfo.InvariantCulture, $" {phase} {_spent[(int)phase] / 1000}");
        }

        if (usage is not null)
        {
            ThreadUsage used = usage();
            line.Append(
                CultureInfo.InvariantCulture,
                $"; in the last {(now - _usedAt) / 1000} ms it had a core for {(used.CpuMicroseconds - _used.CpuMicroseconds) / 1000}, lost it "
                + $"{used.Preemptions - _used.Preemptions} times, compiled for {(used.CompilingMicroseconds - _used.CompilingMicroseconds) / 1000}, waited for "
                + $"{used.MajorFaults - _used.MajorFaults} pages of memory from a disk, and the collector stopped all for {(used.GcPauseMicroseconds - _used.GcPauseMicroseconds) / 1000}");
        }

        if (_untold > 0) line.Append(CultureInfo.InvariantCulture, $"; {_untold} more since the last of these lines");
        return line.ToString();
    }
}
