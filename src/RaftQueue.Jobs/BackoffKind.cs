namespace RaftQueue.Jobs;

/// <summary>How the delay before a retry grows with the attempt.</summary>
public enum BackoffKind : byte
{
    Exponential = 0,
    Linear = 1,
    Fixed = 2,
}
