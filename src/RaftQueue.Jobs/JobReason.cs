namespace RaftQueue.Jobs;

/// <summary>Why a job is dead.</summary>
public enum JobReason : byte
{
    None = 0,

    /// <summary>Not leased within <c>expireAfterMs</c>.</summary>
    Expired = 1,

    /// <summary>Its attempts are used up.</summary>
    Attempts = 2,

    /// <summary>A worker said so (<c>dead: true</c>).</summary>
    Nacked = 3,
}
