namespace RaftQueue.Simulation;

/// <summary>What a client does in one step. A step that finds nothing to do it with (no lease, no job) enqueues.</summary>
internal enum StepKind
{
    Enqueue,
    EnqueueBatch,

    /// <summary>The same request again under its idempotency key, also while the first is under way, or another body under it.</summary>
    Repeat,
    Lease,
    Ack,
    Nack,
    Extend,
    Release,
    Reschedule,
    Cancel,
    Read,
    ReadQueue,
    ListQueues,
    PutQueue,

    /// <summary>Many jobs with one time to run, one age to die at, keys whose windows end together, and one time to be forgotten.</summary>
    BurstEnqueue,

    /// <summary>A lease request that waits for them.</summary>
    BurstWait,

    /// <summary>Anything with them, right when they are due, ...</summary>
    BurstDue,

    /// <summary>... when their leases, keys and lives end, ...</summary>
    BurstEnd,

    /// <summary>... and when they are forgotten.</summary>
    BurstForget,
}
