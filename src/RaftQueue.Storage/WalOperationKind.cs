namespace RaftQueue.Storage;

/// <summary>See <see cref="WalOperation"/>.</summary>
internal enum WalOperationKind
{
    Append,
    HardState,
    Release,
    Restart,
}
