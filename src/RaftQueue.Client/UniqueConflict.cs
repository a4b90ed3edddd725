namespace RaftQueue.Client;

/// <summary>What becomes of a new job whose unique key is held.</summary>
public enum UniqueConflict
{
    /// <summary>The holder is returned and nothing changes.</summary>
    Return,

    /// <summary>The enqueue fails with <c>unique_conflict</c>.</summary>
    Reject,

    /// <summary>While the holder is not leased, it takes over the newcomer's payload and schedule.</summary>
    Replace,
}
