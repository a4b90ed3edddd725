namespace RaftQueue.Storage;

/// <summary>Another process holds the lock of a data directory.</summary>
public sealed class DirectoryInUseException : IOException
{
    public DirectoryInUseException()
    {
    }

    public DirectoryInUseException(string message)
        : base(message)
    {
    }

    public DirectoryInUseException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
