namespace RaftQueue.Checkers;

/// <summary>How a call ended for its client.</summary>
public enum OperationEnd
{
    /// <summary>No answer, or the answer "unknown": it may take effect at any time.</summary>
    Info,

    /// <summary>Decided by the log, see the operation's code.</summary>
    Applied,

    /// <summary>Definitely without effect, for ever.</summary>
    NotApplied,
}
