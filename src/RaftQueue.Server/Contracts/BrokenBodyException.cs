namespace RaftQueue.Server.Contracts;

/// <summary>
/// A body that is no JSON or MessagePack at all, thrown from wherever the parser stands and turned into
/// <c>invalid_request</c> where the parsing began; nothing was applied.
/// </summary>
public sealed class BrokenBodyException : Exception
{
    public BrokenBodyException()
    {
    }

    public BrokenBodyException(string message)
        : base(message)
    {
    }

    public BrokenBodyException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
