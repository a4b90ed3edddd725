namespace RaftQueue.Storage;

/// <summary>
/// What the disk gives back is not what was written, in a way that no peer can repair in place; or an entry that was
/// whole at the start is not any more. The node stops; the message names the file and the place.
/// </summary>
public sealed class StorageDamagedException : IOException
{
    public StorageDamagedException()
    {
    }

    public StorageDamagedException(string message)
        : base(message)
    {
    }

    public StorageDamagedException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
