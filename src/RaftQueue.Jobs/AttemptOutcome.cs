namespace RaftQueue.Jobs;

/// <summary>How an attempt ended.</summary>
public enum AttemptOutcome : byte
{
    /// <summary>It has not ended.</summary>
    Running = 0,
    Succeeded = 1,
    Failed = 2,
    Released = 3,

    /// <summary>Its lease ran out; a failed attempt with error "lease expired".</summary>
    Expired = 4,
    Rescheduled = 5,

    /// <summary>It was handed back, failed or ran out after a cancel had been asked for.</summary>
    Cancelled = 6,
}
