namespace RaftQueue.Transport;

/// <summary>One open checkpoint whose bytes do not change. Used by one thread at a time.</summary>
public interface ITransferReader : IDisposable
{
    /// <summary>
    /// What the receiver must know first, opaque here, at most <see cref="TransferLimits.MaxInfoBytes"/>. The same checkpoint has
    /// the same bytes each time it is opened: a transfer is resumed only then.
    /// </summary>
    ReadOnlyMemory<byte> InfoBytes { get; }

    long TotalBytes { get; }

    /// <summary>
    /// Reads bytes from <paramref name="position"/> and returns how many; 0 when they cannot be had any more, and then the
    /// transfer breaks off. May block on the disk.
    /// </summary>
    int Read(long position, Span<byte> into);
}
