namespace RaftQueue.Pages;

/// <summary>Neither memory nor disk is left for the state: the process must end, and may start again when there is.</summary>
public sealed class StateSpaceException : Exception
{
    public StateSpaceException()
    {
    }

    public StateSpaceException(string message)
        : base(message)
    {
    }

    public StateSpaceException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
