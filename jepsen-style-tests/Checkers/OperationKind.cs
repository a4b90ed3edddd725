namespace RaftQueue.Checkers;

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
}
