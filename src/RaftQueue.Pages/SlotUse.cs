namespace RaftQueue.Pages;

/// <summary>What a slot is taken for, beside the checkpoints that are kept.</summary>
internal enum SlotUse
{
    /// <summary>The checkpoint being written.</summary>
    Checkpoint,

    /// <summary>A page evicted since the last freeze.</summary>
    Evicted,

    /// <summary>A copy that is being written ahead: nobody reads it there yet.</summary>
    Ahead,

    /// <summary>A page of the frozen state that stands in the file already and becomes part of the checkpoint being written.</summary>
    Frozen,
}
