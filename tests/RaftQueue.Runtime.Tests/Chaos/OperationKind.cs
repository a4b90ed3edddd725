namespace RaftQueue.Runtime.Tests.Chaos;

internal enum OperationKind
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
