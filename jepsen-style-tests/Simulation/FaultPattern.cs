namespace RaftQueue.Simulation;

/// <summary>What a seed draws by weight: a single <see cref="FaultKind"/> or a row of them.</summary>
internal enum FaultPattern
{
    Isolate,
    OneWay,
    CutPair,

    /// <summary>Two sides that do not hear each other.</summary>
    Halves,

    /// <summary>Two sides that have one node in common.</summary>
    Bridge,

    /// <summary>Every node hears a majority, no two the same; of three in one direction only. Of five now and then the next one only.</summary>
    Ring,
    Disconnect,
    Clog,
    BreakTransfers,
    SpoilTransfers,
    Die,
    LosePower,
    CrashInDisk,

    /// <summary>The process dies, and the machine loses power while it is down or shortly after it is back.</summary>
    DieThenLosePower,

    /// <summary>All nodes lose power, one after the other.</summary>
    PowerRound,

    /// <summary>All nodes die or lose power at once.</summary>
    AllCrash,
    Pause,
    Stop,

    /// <summary>All nodes are stopped and started, one after the other.</summary>
    RollingRestart,
    HandOver,
    JumpWall,

    /// <summary>A wall clock that jumps to and fro.</summary>
    StrobeWall,
    HangLog,
    HangCheckpoint,
    SlowDisk,
    DiskError,
    FullDisk,

    /// <summary>Damage to what lies on a disk, most often followed by a crash, so that it is read.</summary>
    Damage,
    Wipe,
    HangApply,
    SlowApply,

    /// <summary>The apply loops of all nodes are slow at once.</summary>
    SlowApplies,

    /// <summary>Errors of the rarer operations, also while a node starts.</summary>
    RareDiskError,
    BreakDisk,
    CutClients,

    /// <summary>The monotonic clock of one node, or those of all, run at another speed.</summary>
    DriftClock,

    /// <summary>A voter is taken out of a shard and put back after a while, as an operator does.</summary>
    ChangeMembers,
}
