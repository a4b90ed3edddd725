namespace RaftQueue.Jobs;

/// <summary>How long the holder of a unique key holds it.</summary>
public enum UniqueUntil : byte
{
    Leased = 0,
    Finished = 1,
    Window = 2,
}
