namespace RaftQueue.Server.Contracts;

/// <summary>What a worker does with leases that it holds.</summary>
public enum TokenVerb
{
    Ack,
    Nack,
    Extend,
    Release,
    Reschedule,
}
