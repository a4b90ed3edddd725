using RaftQueue.Primitives;

namespace RaftQueue.Transport;

/// <summary>One open checkpoint whose pages do not change. Used by one thread at a time.</summary>
public interface ITransferReader : IDisposable
{
    /// <summary>What the receiver must know first, opaque here, at most <see cref="TransferLimits.MaxInfoBytes"/>.</summary>
    ReadOnlyMemory<byte> InfoBytes { get; }

    /// <summary>
    /// Writes what is named into <paramref name="contents"/>, one behind the other without a gap, and tells for each name whether
    /// it is there. False when the checkpoint is not kept any more: the other side opens a newer one. May block on the disk.
    /// </summary>
    bool TryRead(ReadOnlySpan<PageName> names, Span<bool> found, Span<byte> contents, out int written);
}
