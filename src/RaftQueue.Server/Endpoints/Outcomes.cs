using RaftQueue.Jobs;
using RaftQueue.Runtime;
using RaftQueue.Server.Contracts;

namespace RaftQueue.Server.Endpoints;

/// <summary>What became of a command, as the problem that says so: 4xx and 503 mean that nothing was applied, 504 leaves it open.</summary>
internal static class Outcomes
{
    private const long ShortWaitMs = 1000;
    private const long LeaderWaitMs = 500;

    public static Problem Unknown => new(
        ProblemCode.OutcomeUnknown,
        "The request may or may not take effect. Repeat it with the same Idempotency-Key, or look before repeating it.");

    /// <summary>A read that was not decided: no leader confirmed it in time, or this node had not applied in time what it had to show.</summary>
    public static Problem Undecided(in ReadOutcome read) => read.LacksState ? WithoutState : read.IsBehind ? Behind : NoLeader;

    private static Problem WithoutState => Busy("This node has no state yet, or has lost it and gets it back from the others. Ask another one.");

    private static Problem Behind => Busy("This node is far behind the others. Ask another one, or read with ?consistency=stale.");

    private static Problem NoLeader => new(ProblemCode.NoLeader, "No leader was found in time. Try again, or read with ?consistency=stale.")
    {
        RetryAfterMs = LeaderWaitMs,
    };

    public static Problem NotApplied(NotAppliedReason reason) => reason switch
    {
        NotAppliedReason.NoLeader => new Problem(ProblemCode.NoLeader, "No leader was found in time; nothing was applied. Try again.")
        {
            RetryAfterMs = LeaderWaitMs,
        },
        NotAppliedReason.DiskFull => Busy("The log's disk is full; new work is refused until there is room, finishing goes on."),
        NotAppliedReason.Stopping => Busy("This node is stopping; ask another one."),
        NotAppliedReason.Removed => new Problem(ProblemCode.Removed, "This node was removed from the cluster; ask another one.")
        {
            RetryAfterMs = ShortWaitMs,
        },
        NotAppliedReason.TooLarge => new Problem(ProblemCode.PayloadTooLarge, "The request is larger than one entry of the log may be; split it."),
        _ => Busy("Too much is under way; nothing was applied. Come again shortly."),
    };

    /// <summary>A decided refusal; null for <see cref="ResultCode.Ok"/> and <see cref="ResultCode.Empty"/>.</summary>
    public static Problem? Refused(ResultCode code) => code switch
    {
        ResultCode.Ok or ResultCode.Empty => null,
        ResultCode.DuplicateRequest => Unknown,
        ResultCode.InvalidCommand => Problem.Invalid("The cluster refused the request as invalid; nothing was applied."),
        ResultCode.UniqueConflict => new Problem(ProblemCode.UniqueConflict, "The unique key is held by another job."),
        ResultCode.IdempotencyConflict => new Problem(
            ProblemCode.IdempotencyConflict, "This Idempotency-Key came with another body before; use a new key for a new request."),
        ResultCode.JobNotFound => new Problem(ProblemCode.JobNotFound, "There is no job of this id, or it is forgotten."),
        ResultCode.QueueNotFound => new Problem(ProblemCode.QueueNotFound, "There is no queue of this name."),
        ResultCode.WrongState => new Problem(ProblemCode.WrongState, "The job's state does not allow this."),
        ResultCode.VersionMismatch => new Problem(ProblemCode.VersionMismatch, "The job has changed; read it and decide again."),
        ResultCode.QueueFull => new Problem(ProblemCode.QueueFull, "The queue holds as many jobs as it may.") { RetryAfterMs = ShortWaitMs },
        ResultCode.TooManyQueues => new Problem(ProblemCode.TooManyQueues, "There are as many queues as there may be.")
        {
            RetryAfterMs = ShortWaitMs,
        },
        ResultCode.IdempotencyFull => Busy("As many idempotency keys are remembered as may be; nothing was applied."),
        ResultCode.StateFull => Busy("The cluster holds as much as it may; new work is refused until jobs are finished."),
        _ => Unknown,
    };

    private static Problem Busy(string detail) => new(ProblemCode.Overloaded, detail) { RetryAfterMs = ShortWaitMs };
}
