namespace RaftQueue.Jobs;

/// <summary>What became of a command. Everything but <see cref="Ok"/> changed nothing.</summary>
public enum ResultCode : byte
{
    Ok = 0,

    /// <summary>A lease request that found nothing. Its request number may be used again.</summary>
    Empty = 1,

    /// <summary>The request number was applied before: the first copy decided.</summary>
    DuplicateRequest = 2,
    InvalidCommand = 3,
    UniqueConflict = 4,
    IdempotencyConflict = 5,
    JobNotFound = 6,
    QueueNotFound = 7,
    WrongState = 8,
    VersionMismatch = 9,
    QueueFull = 10,
    TooManyQueues = 11,

    /// <summary>As many idempotency keys are remembered as may be; none is forgotten early.</summary>
    IdempotencyFull = 12,

    /// <summary>The state is above its high-water mark: no new work.</summary>
    StateFull = 13,
}
