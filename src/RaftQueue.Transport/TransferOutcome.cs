namespace RaftQueue.Transport;

/// <summary>How asking for a checkpoint ended. The first two are the wire's numbers.</summary>
public enum TransferOutcome : byte
{
    Opened = 0,

    /// <summary>The peer has none so new, or gives pages to as many others as it may.</summary>
    NotAvailable = 1,

    /// <summary>No connection, or it broke.</summary>
    Unreachable = 2,

    /// <summary>One of the two sides refused the other.</summary>
    Refused = 3,
}
