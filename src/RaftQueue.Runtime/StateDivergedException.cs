namespace RaftQueue.Runtime;

/// <summary>This node's state differs from that of a majority at the same index: it must not go on with it.</summary>
public sealed class StateDivergedException : Exception
{
    public StateDivergedException()
    {
    }

    public StateDivergedException(string message)
        : base(message)
    {
    }

    public StateDivergedException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
