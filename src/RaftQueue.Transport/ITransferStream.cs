namespace RaftQueue.Transport;

/// <summary>The bytes of one checkpoint as they arrive. One reader.</summary>
public interface ITransferStream : IAsyncDisposable
{
    /// <summary>What the sender says about the checkpoint.</summary>
    ReadOnlyMemory<byte> Info { get; }

    long TotalBytes { get; }

    /// <summary>Where the next chunk starts: all before it was read.</summary>
    long Position { get; }

    /// <summary>What it takes to go on from here after the connection broke.</summary>
    TransferResume ResumePoint => new(Info, TotalBytes, Position);

    /// <summary>
    /// The next chunk; chunks follow each other without a gap and each was checked by its checksum. After anything but a chunk
    /// the stream is finished. Only cancellation throws.
    /// </summary>
    ValueTask<TransferRead> ReadAsync(CancellationToken cancellation);
}
