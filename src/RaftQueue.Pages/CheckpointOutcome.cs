namespace RaftQueue.Pages;

/// <summary>How far writing or receiving a checkpoint is, or how it ended.</summary>
public enum CheckpointOutcome
{
    /// <summary>Not all is written.</summary>
    Writing,

    /// <summary>All is written and synced; <see cref="CheckpointWriter.Commit"/> makes it the newest checkpoint.</summary>
    Ready,

    /// <summary>It is the newest checkpoint, durably.</summary>
    Committed,

    /// <summary>Given up: no space could be taken. The checkpoints that were there before are whole.</summary>
    DiskFull,

    /// <summary>Given up by the caller. The checkpoints that were there before are whole.</summary>
    Aborted,

    /// <summary>What was received is not a whole checkpoint of the kind announced; nothing was replaced.</summary>
    Damaged,
}
