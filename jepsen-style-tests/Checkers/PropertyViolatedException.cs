namespace RaftQueue.Checkers;

/// <summary>A property that must hold does not. The message begins with its name ("P1: ...").</summary>
public sealed class PropertyViolatedException : Exception
{
    public PropertyViolatedException()
    {
    }

    public PropertyViolatedException(string message)
        : base(message)
    {
    }

    public PropertyViolatedException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>P1 to P11, or the whole message's first word.</summary>
    public string Property => Message[..Math.Max(0, Message.IndexOf(':', StringComparison.Ordinal))];
}
