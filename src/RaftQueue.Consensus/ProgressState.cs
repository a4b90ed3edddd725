namespace RaftQueue.Consensus;

/// <summary>How a leader feeds a follower.</summary>
public enum ProgressState
{
    /// <summary>Where the logs part is not known: one Append at a time.</summary>
    Probe,

    /// <summary>The logs match: pipelined within the window.</summary>
    Replicate,

    /// <summary>The follower needs entries that the leader no longer has: it is offered a checkpoint.</summary>
    Checkpoint,
}
