namespace RaftQueue.Jobs;

/// <summary>What became of one token of an ack, nack, extend, release or reschedule.</summary>
public enum TokenStatus : byte
{
    Ok = 0,
    LeaseLost = 1,
}
