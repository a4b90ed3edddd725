namespace RaftQueue.Transport;

/// <summary>How asking for a checkpoint ended. The first three are the wire's numbers.</summary>
public enum TransferOutcome : byte
{
    Opened = 0,

    /// <summary>The peer has none so new.</summary>
    NotAvailable = 1,

    /// <summary>The checkpoint to resume is gone; begin anew.</summary>
    Changed = 2,

    /// <summary>No connection, or it broke.</summary>
    Unreachable = 3,

    /// <summary>One of the two sides refused the other.</summary>
    Refused = 4,
}
