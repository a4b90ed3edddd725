using System.Diagnostics;
using RaftQueue.Checkers;

namespace RaftQueue.Processes;

/// <summary>The calls of all clients in one order, with times of one monotonic clock, no two alike. Safe from any thread.</summary>
internal sealed class SharedHistory
{
    private readonly Lock _gate = new();
    private readonly History _history = new(
        static () => (long)(Stopwatch.GetTimestamp() * (1_000_000.0 / Stopwatch.Frequency)), static _ => { });

    /// <summary>A call that is about to be made; <paramref name="make"/> gets its number and time.</summary>
    public Operation Begin(Func<int, long, Operation> make)
    {
        lock (_gate)
        {
            Operation call = make(_history.NextId, _history.NextNs());
            _history.Add(call);
            return call;
        }
    }

    /// <summary>The call has been answered, or its client has given up; what became of it is noted.</summary>
    public void Ended(Operation call)
    {
        lock (_gate) _history.Returned(call);
    }

    public long NowNs()
    {
        lock (_gate) return _history.NextNs();
    }

    /// <summary>All calls so far.</summary>
    public IReadOnlyList<Operation> Calls()
    {
        lock (_gate) return [.. _history.Operations];
    }
}
