namespace RaftQueue.Runtime;

/// <summary>Why a command was definitely not applied.</summary>
public enum NotAppliedReason
{
    None,

    /// <summary>No leader was found in time.</summary>
    NoLeader,

    /// <summary>Too much is under way already.</summary>
    Overloaded,

    /// <summary>The leader's log disk has only its reserve left.</summary>
    DiskFull,

    /// <summary>This node is stopping.</summary>
    Stopping,

    /// <summary>This node was removed from the cluster.</summary>
    Removed,

    /// <summary>The command is longer than any entry may be.</summary>
    TooLarge,
}
