namespace RaftQueue.Jobs;

/// <summary>The type numbers of commands that change job state. Numbers are never reused: they stand in logs.</summary>
public enum CommandType : ushort
{
    None = 0,
    Settings = 16,
    Tick = 17,
    Checkpoint = 18,
    Enqueue = 20,
    Lease = 21,
    Ack = 22,
    Nack = 23,
    Extend = 24,
    Release = 25,
    Reschedule = 26,
    Cancel = 27,
    PutQueue = 28,
    Revoke = 29,
}
