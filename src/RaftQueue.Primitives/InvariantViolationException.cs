namespace RaftQueue.Primitives;

/// <summary>The program is wrong about itself. Nobody recovers from it: the node stops, loudly.</summary>
public sealed class InvariantViolationException : Exception
{
    public InvariantViolationException()
    {
    }

    public InvariantViolationException(string message)
        : base(message)
    {
    }

    public InvariantViolationException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
