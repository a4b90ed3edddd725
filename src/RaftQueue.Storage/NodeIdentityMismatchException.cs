namespace RaftQueue.Storage;

/// <summary>A data directory belongs to another node or cluster, or was made with other fixed settings. The message names the setting.</summary>
public sealed class NodeIdentityMismatchException : Exception
{
    public NodeIdentityMismatchException()
    {
    }

    public NodeIdentityMismatchException(string message)
        : base(message)
    {
    }

    public NodeIdentityMismatchException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
