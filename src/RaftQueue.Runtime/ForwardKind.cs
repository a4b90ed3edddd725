namespace RaftQueue.Runtime;

/// <summary>The first byte of what nodes send each other beside Raft. The numbers are the wire's.</summary>
internal enum ForwardKind : byte
{
    /// <summary>To the leader: command frames, with the sender as origin.</summary>
    Commands = 1,

    /// <summary>From who was asked: these requests were not proposed. Reason u8, then request numbers u64.</summary>
    Rejected = 2,

    /// <summary>To the leader: confirm that you lead. Batch u64.</summary>
    ReadIndex = 3,

    /// <summary>From the leader: batch u64, granted u8, index i64.</summary>
    ReadIndexReply = 4,

    /// <summary>To the leader: a lease request. Number u64, wait ms i64, body.</summary>
    Lease = 5,

    /// <summary>From the leader: nothing was to be had until the wait was over. Number u64, index i64.</summary>
    LeaseEmpty = 6,

    /// <summary>To the leader: nobody waits for this any more. Number u64.</summary>
    LeaseCancel = 7,

    /// <summary>To all: my state's hash at an index. Index i64, hash u64.</summary>
    HashWitness = 8,

    /// <summary>To the asker: mine at that index. Index i64, hash u64.</summary>
    HashReply = 9,

    /// <summary>
    /// To the leader: the entry that names me is not known to be committed here. Its term u64 and index i64, both zero when none
    /// names me.
    /// </summary>
    Named = 10,

    /// <summary>To all voters: the root hashes of my newest checkpoints. Up to 8 times index i64, hash u64.</summary>
    CheckpointRoots = 11,
}
