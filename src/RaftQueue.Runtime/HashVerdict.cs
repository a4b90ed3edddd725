namespace RaftQueue.Runtime;

/// <summary>What the voters' hashes at an index say about this node's own.</summary>
internal enum HashVerdict
{
    /// <summary>Nobody differs, and not so many are known to agree that it is decided.</summary>
    Open,

    /// <summary>A majority of the voters has this one.</summary>
    Agreed,

    /// <summary>Somebody differs, and no majority is known to have either.</summary>
    Doubted,

    /// <summary>A majority has another one.</summary>
    Outvoted,

    /// <summary>All voters have told theirs, and no majority agrees on any.</summary>
    NobodyAgrees,
}
