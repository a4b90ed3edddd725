namespace RaftQueue.Transport;

/// <summary>Bounds of a transfer.</summary>
public static class TransferLimits
{
    /// <summary>Bound on <see cref="ITransferReader.InfoBytes"/>.</summary>
    public const int MaxInfoBytes = 64 * 1024;

    /// <summary>Bytes of a checkpoint in one chunk at most.</summary>
    public const int MaxChunkBytes = 128 * 1024;
}
