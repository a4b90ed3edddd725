namespace RaftQueue.Jobs.State;

/// <summary>How a job's last lease ended, so that a repeat of the same verb can be answered.</summary>
internal enum LeaseEnd : byte
{
    None = 0,
    Ack = 1,
    Nack = 2,
    Release = 3,
    Reschedule = 4,
    Expiry = 5,
    Revoke = 6,
}
