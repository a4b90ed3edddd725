namespace RaftQueue.Checkers;

/// <summary>What a call asks for; the <c>f</c> of a history line.</summary>
public enum OperationKind
{
    Enqueue,
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
