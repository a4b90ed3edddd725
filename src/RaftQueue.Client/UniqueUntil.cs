namespace RaftQueue.Client;

/// <summary>How long a job holds its unique key.</summary>
public enum UniqueUntil
{
    /// <summary>Until it succeeded, died, was cancelled or deleted.</summary>
    Finished,

    /// <summary>Until its first lease.</summary>
    Leased,

    /// <summary>For a time from its enqueue, whatever happens.</summary>
    Window,
}
