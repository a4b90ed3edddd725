namespace RaftQueue.Server.Contracts;

/// <summary>The code as it stands in a reply, its HTTP status and title.</summary>
public static class ProblemCodes
{
    public static string Text(this ProblemCode code) => Entry(code).Text;

    public static int Status(this ProblemCode code) => Entry(code).Status;

    public static string Title(this ProblemCode code) => Entry(code).Title;

    /// <summary>Whether the reply says when to come again.</summary>
    public static bool IsRetryable(this ProblemCode code) => code.Status() is 429 or 503;

    private static (string Text, int Status, string Title) Entry(ProblemCode code) => code switch
    {
        ProblemCode.InvalidRequest => ("invalid_request", 400, "The request is not valid"),
        ProblemCode.Unauthorized => ("unauthorized", 401, "A token is needed"),
        ProblemCode.Forbidden => ("forbidden", 403, "Not allowed"),
        ProblemCode.NotFound => ("not_found", 404, "There is nothing at this address"),
        ProblemCode.JobNotFound => ("job_not_found", 404, "No such job"),
        ProblemCode.QueueNotFound => ("queue_not_found", 404, "No such queue"),
        ProblemCode.MethodNotAllowed => ("method_not_allowed", 405, "This address does not take this method"),
        ProblemCode.UniqueConflict => ("unique_conflict", 409, "The unique key is held by another job"),
        ProblemCode.IdempotencyConflict => ("idempotency_conflict", 409, "The Idempotency-Key was used with another request"),
        ProblemCode.WrongState => ("wrong_state", 409, "Not possible in the present state"),
        ProblemCode.VersionMismatch => ("version_mismatch", 412, "The job has another version"),
        ProblemCode.PayloadTooLarge => ("payload_too_large", 413, "Too large"),
        ProblemCode.UnsupportedMediaType => ("unsupported_media_type", 415, "The body has another type than this address takes"),
        ProblemCode.QueueFull => ("queue_full", 429, "The queue is full"),
        ProblemCode.TooManyQueues => ("too_many_queues", 429, "There are too many queues"),
        ProblemCode.Internal => ("internal", 500, "Something went wrong here; the outcome is not known"),
        ProblemCode.Overloaded => ("overloaded", 503, "Too much at once"),
        ProblemCode.NoLeader => ("no_leader", 503, "The cluster has no leader at the moment"),
        ProblemCode.Removed => ("removed", 503, "This node was removed from the cluster"),
        ProblemCode.OutcomeUnknown => ("outcome_unknown", 504, "The outcome is not known"),
        _ => throw new ArgumentOutOfRangeException(nameof(code)),
    };
}
