using System.Diagnostics.CodeAnalysis;

namespace RaftQueue.Transport;

/// <summary>The answer to <see cref="ITransferClient.OpenAsync"/>.</summary>
/// <param name="Stream">Only when opened; the caller disposes it.</param>
/// <param name="Reason">Else, for a log line.</param>
public sealed record TransferOpening(TransferOutcome Outcome, ITransferStream? Stream, string? Reason)
{
    [MemberNotNullWhen(true, nameof(Stream))]
    public bool IsOpen => Stream is not null;
}
