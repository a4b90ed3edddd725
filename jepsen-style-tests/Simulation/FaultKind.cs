namespace RaftQueue.Simulation;

/// <summary>One thing that goes wrong, as <see cref="FaultInjector"/> makes it. What is made of several is a <see cref="FaultPattern"/>.</summary>
internal enum FaultKind
{
    /// <summary>Nothing passes to or from the node. Of this and the other cuts, those with an odd salt break connections as well.</summary>
    Isolate,

    /// <summary>Nothing reaches the node; what it sends arrives.</summary>
    Deafen,

    /// <summary>Nothing that the node sends arrives; it hears everything.</summary>
    Mute,

    /// <summary>Nothing passes between two nodes.</summary>
    CutPair,

    /// <summary>Nothing passes from the node to the other; the way back is open.</summary>
    CutOneWay,

    /// <summary>The ways that the amount names (see <see cref="NetworkFaults.Width"/>) are cut: halves, bridges, rings.</summary>
    Partition,

    /// <summary>The connection of two nodes breaks with all that is under way; it may be made anew at once.</summary>
    Disconnect,

    /// <summary>Nothing arrives from the node at the other for a while, and then everything does.</summary>
    Clog,

    /// <summary>Consensus messages of the kind that the amount names are lost on their way from the node.</summary>
    LoseMessages,

    /// <summary>Transfers of checkpoints from the node break off.</summary>
    BreakTransfers,

    /// <summary>Transfers of checkpoints from the node carry wrong bytes in whole frames.</summary>
    SpoilTransfers,

    /// <summary>Nothing passes between the node and clients; peers hear it. With an odd salt, clients see their connections break.</summary>
    CutClients,

    /// <summary>The process dies: what it wrote can be read, synced or not.</summary>
    Die,

    /// <summary>
    /// The machine loses power: what was not synced is kept, lost or torn. Also for a node that does not run. With an amount nobody is told:
    /// its connections stay open at the other ends, silent, until it is back.
    /// </summary>
    LosePower,

    /// <summary>At one of its next disk operations, perhaps in the middle of a write, the node dies or loses power.</summary>
    CrashInDisk,

    /// <summary>The process is stopped and goes on later.</summary>
    Pause,

    /// <summary>The node is asked to stop, and is started again.</summary>
    Stop,

    /// <summary>The leader of a shard (the amount) is asked to hand over to the other node.</summary>
    HandOver,

    /// <summary>The leader of a shard is asked to take the other node out of it. See <see cref="MembershipFaults"/> for the amount.</summary>
    RemoveMember,

    /// <summary>The leader of a shard is asked to take the other node in as a learner.</summary>
    AddLearner,

    /// <summary>The leader of a shard is asked to make a voter of the other node, a learner.</summary>
    PromoteLearner,

    /// <summary>The wall clock of a node is wrong from now on.</summary>
    JumpWall,

    /// <summary>The monotonic clock of a node runs too fast (or, negative, too slow) by so many millionths from now on.</summary>
    DriftClock,

    /// <summary>The loop that writes the log stands still in the disk.</summary>
    HangLog,

    /// <summary>The loops that write checkpoints and evicted pages and prepare segments of the log stand still in the disk.</summary>
    HangCheckpoint,

    /// <summary>Every slice of the loops that write takes so many microseconds.</summary>
    SlowDisk,

    /// <summary>The loop that applies entries and answers reads stands still in the middle of a slice.</summary>
    HangApply,

    /// <summary>Every slice of that loop takes so many microseconds.</summary>
    SlowApply,

    /// <summary>An fsync fails (EIO): the node has to stop.</summary>
    FailSync,

    /// <summary>A write fails (EIO).</summary>
    FailWrite,

    /// <summary>A read fails (EIO).</summary>
    FailRead,

    /// <summary>Making a file fails (EIO). As with all errors of single operations, the amount says which one of its kind from now on.</summary>
    FailCreate,

    /// <summary>Taking space for a file fails (EIO).</summary>
    FailAllocate,

    /// <summary>Changing the length of a file fails (EIO).</summary>
    FailSetLength,

    /// <summary>Renaming fails (EIO).</summary>
    FailRename,

    /// <summary>Deleting fails (EIO).</summary>
    FailDelete,

    /// <summary>Syncing a directory fails (EIO).</summary>
    FailSyncDirectory,

    /// <summary>
    /// Every write and sync fails from now on (EIO), with an amount that is not even every read as well. After a while the device works
    /// again, or, with an odd salt and where the promise covers it, is replaced by an empty one.
    /// </summary>
    BreakDisk,

    /// <summary>No more than the amount of bytes can be taken for a while.</summary>
    FullDisk,

    /// <summary>In a segment of the log a bit flips, a block is that of another place, or what was written never was.</summary>
    DamageLog,

    /// <summary>The same in a shard's checkpoint file (the amount says which).</summary>
    DamageCheckpoint,

    /// <summary>A bit of one copy of the hard state flips.</summary>
    DamageHardState,

    /// <summary>A bit of the identity file flips: the node does not start any more.</summary>
    DamageIdentity,

    /// <summary>Everything the node ever stored is gone.</summary>
    Wipe,
}
