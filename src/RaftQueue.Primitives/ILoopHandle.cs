namespace RaftQueue.Primitives;

/// <summary>A running loop. Safe from any thread.</summary>
public interface ILoopHandle
{
    /// <summary>Lets the body run soon. A wake during a run is not lost: the body runs once more.</summary>
    void Wake();

    /// <summary>Ends the loop after the slice under way and waits for it. Idempotent.</summary>
    void Stop();
}
