namespace RaftQueue.Primitives;

/// <summary>What a loop can be at, as its <see cref="LoopMeter"/> tells it.</summary>
public enum LoopPhase
{
    /// <summary>Between two turns, and what has no name of its own.</summary>
    Other,

    /// <summary>Takes in what others posted.</summary>
    Inputs,

    /// <summary>Replica: consensus, proposals, routing.</summary>
    Consensus,

    /// <summary>Replica: hands frames to connections.</summary>
    Sends,

    /// <summary>Replica: what is done every few dozen milliseconds.</summary>
    Housekeeping,

    /// <summary>Apply: once, before its first entry, so that its code is compiled.</summary>
    Rehearses,

    /// <summary>Apply: gets entries, from memory or from their segments.</summary>
    ReadsEntries,

    /// <summary>Apply: an entry changes pages that are in memory.</summary>
    Applies,

    /// <summary>Apply: completes requests.</summary>
    Answers,

    /// <summary>Apply: reads and waiting leases.</summary>
    Serves,

    /// <summary>Apply: reads a page that was not in memory.</summary>
    ColdPage,

    /// <summary>Apply: makes room in memory, or has it made.</summary>
    Evicts,

    /// <summary>Apply: freezes pages for a checkpoint, and takes back what one has left.</summary>
    Checkpoint,

    /// <summary>Log: writes and syncs terms and votes.</summary>
    HardStates,

    /// <summary>Log: takes the next segment, and fills one with zeros when none is ready.</summary>
    NextSegment,

    /// <summary>Log: the gather write.</summary>
    WritesLog,

    /// <summary>Log: fdatasync.</summary>
    SyncsLog,

    /// <summary>Log: gives segments back.</summary>
    Trims,
}
