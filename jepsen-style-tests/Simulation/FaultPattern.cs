namespace RaftQueue.Simulation;

/// <summary>What a seed draws by weight: a single <see cref="FaultKind"/> or a row of them.</summary>
internal enum FaultPattern
{
    Isolate,
    OneWay,
    CutPair,
    Disconnect,
    Die,
    LosePower,
    CrashInDisk,

    /// <summary>The process dies, and the machine loses power while it is down or shortly after it is back.</summary>
    DieThenLosePower,

    /// <summary>All nodes lose power, one after the other.</summary>
    PowerRound,

    /// <summary>All nodes die or lose power at once.</summary>
    AllCrash,
    Wipe,
    JumpWall,

    /// <summary>A wall clock that jumps to and fro.</summary>
    StrobeWall,
    Pause,
    HangLog,
    Stop,

    /// <summary>All nodes are stopped and started, one after the other.</summary>
    RollingRestart,
}
