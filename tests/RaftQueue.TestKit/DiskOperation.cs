namespace RaftQueue.TestKit;

/// <summary>The calls of <see cref="FakeDisk"/> that are counted and that faults can be planned for. Reads are not among them.</summary>
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
}
