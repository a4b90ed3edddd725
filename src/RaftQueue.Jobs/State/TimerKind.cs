namespace RaftQueue.Jobs.State;

/// <summary>What a timer is for. At one time they fire in this order; the numbers stand in pages.</summary>
internal enum TimerKind
{
    None = 0,

    /// <summary>A lease ends. Value: the job's slot.</summary>
    LeaseEnd = 1,

    /// <summary>A job was not leased in time. Value: the job's slot.</summary>
    Expiry = 2,

    /// <summary>The first job of a queue's <see cref="DueTree"/>. Value: the queue's page, doubled, plus one for retries.</summary>
    Due = 3,

    /// <summary>The window of a unique key ends. Value: the holder's slot.</summary>
    UniqueWindow = 4,

    /// <summary>A finished job is forgotten. Value: its slot.</summary>
    Retention = 5,

    /// <summary>An idempotency key is forgotten. Value: its slot.</summary>
    Idempotency = 6,

    /// <summary>A queue keeps more finished jobs than it may. Value: its page.</summary>
    Trim = 7,
}
