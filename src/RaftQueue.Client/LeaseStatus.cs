namespace RaftQueue.Client;

/// <summary>What became of an ack, nack, extend, release or reschedule.</summary>
public enum LeaseStatus
{
    /// <summary>It took effect; also when a repeat found that it had.</summary>
    Ok,

    /// <summary>The lease ran out or was ended by another call: the job may run elsewhere, and this had no effect.</summary>
    LeaseLost,

    /// <summary>Nothing happened and it may be repeated; only when the time for repeats ran out.</summary>
    NotApplied,

    /// <summary>It may or may not have taken effect; only when the time for repeats ran out.</summary>
    Unknown,

    /// <summary>The server refused it as wrong; <see cref="LeaseResult.Code"/> and <see cref="LeaseResult.Detail"/> say why.</summary>
    Invalid,
}
