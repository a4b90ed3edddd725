namespace RaftQueue.Jobs.State;

/// <summary>The lowest two bits hold the <see cref="PayloadKind"/>.</summary>
[Flags]
internal enum JobFlags : ushort
{
    None = 0,
    PayloadKindLow = 1,
    PayloadKindHigh = 1 << 1,
    PayloadKindMask = PayloadKindLow | PayloadKindHigh,

    /// <summary>Holds its unique key: stands in the index of keys.</summary>
    HoldsKey = 1 << 2,
    KeyUntilLeased = 1 << 3,
    KeyUntilWindow = 1 << 4,
    CancelRequested = 1 << 5,

    /// <summary>Unstarted with <c>expireAfterMs</c>: <see cref="JobRecord.Time"/> is when it dies, and a timer stands for it.</summary>
    Expires = 1 << 6,

    /// <summary>Scheduled by a failed attempt: in the tree of retries.</summary>
    Retrying = 1 << 7,

    /// <summary>Was leased in this run.</summary>
    Started = 1 << 8,

    /// <summary>Forgotten for readers; the record stays because it holds a key until its window ends.</summary>
    Ghost = 1 << 9,
}
