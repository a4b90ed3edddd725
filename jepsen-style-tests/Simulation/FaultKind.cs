namespace RaftQueue.Simulation;

/// <summary>One thing that goes wrong, as <see cref="FaultInjector"/> makes it. What is made of several is a <see cref="FaultPattern"/>.</summary>
internal enum FaultKind
{
    /// <summary>Nothing passes to or from the node.</summary>
    Isolate,

    /// <summary>Nothing reaches the node; what it sends arrives.</summary>
    Deafen,

    /// <summary>Nothing that the node sends arrives; it hears everything.</summary>
    Mute,

    /// <summary>Nothing passes between two nodes.</summary>
    CutPair,

    /// <summary>Nothing passes from the node to the other; the way back is open.</summary>
    CutOneWay,

    /// <summary>The connection of two nodes breaks with all that is under way; it may be made anew at once.</summary>
    Disconnect,

    /// <summary>The process dies: what it wrote can be read, synced or not.</summary>
    Die,

    /// <summary>The machine loses power: what was not synced is kept, lost or torn. Also for a node that does not run.</summary>
    LosePower,

    /// <summary>At one of its next disk operations, perhaps in the middle of a write, the node dies or loses power.</summary>
    CrashInDisk,

    /// <summary>Everything the node ever stored is gone.</summary>
    Wipe,

    /// <summary>The wall clock of a node is wrong from now on.</summary>
    JumpWall,

    /// <summary>The process is stopped and goes on later.</summary>
    Pause,

    /// <summary>The loop that writes the log stands still in the disk.</summary>
    HangLog,

    /// <summary>The node is asked to stop, and is started again.</summary>
    Stop,
}
