namespace RaftQueue.TestKit;

/// <summary>The calls of <see cref="FakeDisk"/> that faults can be planned for.</summary>
public enum DiskOperation
{
    Create,
    Write,
    DataSync,
    Allocate,
    SetLength,
    Rename,
    Delete,
    SyncDirectory,
    CreateDirectory,

    /// <summary>Changes nothing, so it has no number among the operations; errors can be planned for it.</summary>
    Read,
}
