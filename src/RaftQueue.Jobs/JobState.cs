namespace RaftQueue.Jobs;

/// <summary>Where a job stands. The numbers stand in logs, pages and results.</summary>
public enum JobState : byte
{
    Scheduled = 0,
    Ready = 1,
    Leased = 2,
    Succeeded = 3,
    Dead = 4,
    Cancelled = 5,
    Blocked = 6,
}
