namespace RaftQueue.Server.Contracts;

/// <summary>The stable codes of errors; <see cref="ProblemCodes"/> gives their texts and statuses.</summary>
public enum ProblemCode
{
    InvalidRequest,
    Unauthorized,
    Forbidden,
    NotFound,
    JobNotFound,
    QueueNotFound,
    MethodNotAllowed,
    UniqueConflict,
    IdempotencyConflict,
    WrongState,
    VersionMismatch,
    PayloadTooLarge,
    UnsupportedMediaType,
    QueueFull,
    TooManyQueues,
    Internal,
    Overloaded,
    NoLeader,
    Removed,
    OutcomeUnknown,
}
