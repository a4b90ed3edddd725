namespace RaftQueue.TestKit;

/// <summary>What of a device does not work any more.</summary>
public enum BrokenParts
{
    None,

    /// <summary>Everything that changes or syncs something.</summary>
    Writes,

    /// <summary>Reads as well.</summary>
    All,
}
