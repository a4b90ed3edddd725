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
}
