namespace RaftQueue.Client;

/// <summary>How the delay before a retry grows.</summary>
public enum Backoff
{
    Exponential,
    Linear,
    Fixed,
}
