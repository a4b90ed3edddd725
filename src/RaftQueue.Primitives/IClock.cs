namespace RaftQueue.Primitives;

/// <summary>The two clocks a node has. Safe from any thread.</summary>
public interface IClock
{
    /// <summary>Microseconds from an arbitrary start; never goes back, never jumps. Timeouts and elections use only this.</summary>
    long MonotonicMicroseconds { get; }

    /// <summary>Milliseconds since 1970-01-01T00:00:00Z as this machine believes; may jump either way.</summary>
    long WallUnixMs { get; }
}
