namespace RaftQueue.Client;

/// <summary>Where a job is in its life. A state that this version does not know reads as <see cref="Unknown"/>.</summary>
public enum JobState
{
    Unknown,
    Scheduled,
    Ready,
    Blocked,
    Leased,
    Succeeded,
    Dead,
    Cancelled,
}
