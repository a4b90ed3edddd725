using RaftQueue.Primitives;

namespace RaftQueue.Transport;

/// <summary>
/// One checkpoint of a peer, asked for its pages: questions may be sent ahead of answers, which come in the same order. Used by
/// one thread at a time. After a break the stream is finished. Only cancellation throws.
/// </summary>
public interface ITransferStream : IAsyncDisposable
{
    /// <summary>What the sender says about the checkpoint that was opened last.</summary>
    ReadOnlyMemory<byte> Info { get; }

    /// <summary>Questions without an answer; at most <see cref="TransferLimits.MaxUnanswered"/>.</summary>
    int Unanswered { get; }

    /// <summary>Asks for at most <see cref="TransferLimits.MaxNames"/> pages or nodes. Null, or why it cannot be asked any more.</summary>
    ValueTask<string?> AskAsync(ReadOnlyMemory<PageName> names, CancellationToken cancellation);

    /// <summary>The answer to the oldest question.</summary>
    ValueTask<TransferAnswer> ReadAsync(CancellationToken cancellation);

    /// <summary>
    /// Opens the sender's newest checkpoint in place of the one before; every question was answered. Opened,
    /// <see cref="TransferOutcome.NotAvailable"/>, or <see cref="TransferOutcome.Unreachable"/> when the connection broke.
    /// </summary>
    ValueTask<TransferOutcome> OpenAgainAsync(LogIndex atLeast, CancellationToken cancellation);
}
