namespace RaftQueue.Simulation;

/// <summary>What the command line names cannot be used: wrong usage, told in one line.</summary>
internal sealed class InputException : Exception
{
    public InputException()
    {
    }

    public InputException(string message)
        : base(message)
    {
    }

    public InputException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
