namespace RaftQueue.Runtime;

/// <summary>How new a read must be.</summary>
public enum ReadConsistency
{
    /// <summary>At least as new as everything answered before the read began.</summary>
    Linearizable,

    /// <summary>What this node has applied.</summary>
    Stale,
}
