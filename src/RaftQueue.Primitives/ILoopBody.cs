namespace RaftQueue.Primitives;

/// <summary>
/// The work of one loop (replica, apply, log, checkpoint). Only one thread at a time runs it: a thread of its own in
/// production, the single thread of a simulation in tests.
/// </summary>
public interface ILoopBody
{
    /// <summary>
    /// Does one bounded slice of work and returns when it wants to run again unasked, as a
    /// <see cref="IClock.MonotonicMicroseconds"/> time: now or earlier means at once, <see cref="Never"/> means
    /// only when <see cref="ILoopHandle.Wake"/> is called.
    /// </summary>
    long RunOnce();

    /// <summary>Runs only when woken.</summary>
    public const long Never = long.MaxValue;
}
