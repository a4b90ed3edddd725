namespace RaftQueue.Simulation;

internal enum FaultKind
{
    Partition,
    Disconnect,
    Die,
    LosePower,

    /// <summary>At one of its next disk operations, perhaps in the middle of a write.</summary>
    CrashInDisk,
    LosePowerOneAfterTheOther,
    AllLosePower,
    Wipe,
    JumpWall,
    Pause,
    SlowDisk,
    Stop,
}
