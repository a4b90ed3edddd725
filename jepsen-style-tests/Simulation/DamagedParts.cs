namespace RaftQueue.Simulation;

/// <summary>What was damaged of what lies on a disk.</summary>
[Flags]
internal enum DamagedParts
{
    None = 0,

    /// <summary>Found by the next start, which reads all of it.</summary>
    Log = 1,

    /// <summary>Perhaps met much later.</summary>
    Checkpoints = 2,

    /// <summary>One copy: met when the other one is lost.</summary>
    HardState = 4,

    /// <summary>The same.</summary>
    Identity = 8,
}
