namespace RaftQueue.Storage;

/// <summary>See <see cref="BatchRecord"/>.</summary>
internal enum BatchRecordKind : byte
{
    Run = 1,
    Restart = 2,
}
