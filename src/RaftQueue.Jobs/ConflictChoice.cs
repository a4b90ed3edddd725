namespace RaftQueue.Jobs;

/// <summary>What a newcomer does when its unique key is held.</summary>
public enum ConflictChoice : byte
{
    Return = 0,
    Reject = 1,
    Replace = 2,
}
