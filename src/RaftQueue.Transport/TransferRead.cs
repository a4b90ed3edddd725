namespace RaftQueue.Transport;

/// <summary>What <see cref="ITransferStream.ReadAsync"/> gave.</summary>
/// <param name="Position">Where <paramref name="Bytes"/> start in the checkpoint.</param>
/// <param name="Bytes">On the managed heap; the caller may keep them.</param>
/// <param name="Broken">Why it broke off; null for a chunk and at the end.</param>
public readonly record struct TransferRead(long Position, ReadOnlyMemory<byte> Bytes, string? Broken)
{
    /// <summary>All bytes were read.</summary>
    public bool IsEnd => Broken is null && Bytes.IsEmpty;
}
