namespace RaftQueue.Primitives;

/// <summary>What the calling thread has used since it began, and how long the collector has stopped all of the process's threads.</summary>
/// <param name="CpuMicroseconds">Time on a core.</param>
/// <param name="MajorFaults">Touches of memory that had to wait for a disk.</param>
/// <param name="Preemptions">So often another thread took its core; when it waits it gives the core up itself.</param>
/// <param name="CompilingMicroseconds">Compiling what it was about to run, waits for a core included.</param>
/// <param name="GcPauseMicroseconds">Of the whole process.</param>
public readonly record struct ThreadUsage(long CpuMicroseconds, long MajorFaults, long Preemptions, long CompilingMicroseconds, long GcPauseMicroseconds);
