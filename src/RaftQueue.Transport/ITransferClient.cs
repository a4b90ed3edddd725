using RaftQueue.Primitives;

namespace RaftQueue.Transport;

/// <summary>Fetches whole checkpoints from peers, each over a connection of its own. Any thread.</summary>
public interface ITransferClient
{
    /// <summary>
    /// Asks <paramref name="from"/> for a checkpoint of <paramref name="shard"/> at or above <paramref name="atLeast"/>.
    /// With <paramref name="resume"/> the bytes go on from there, or the outcome is
    /// <see cref="TransferOutcome.Changed"/>: then begin anew. Expected failures are outcomes; only cancellation throws.
    /// </summary>
    Task<TransferOpening> OpenAsync(
        NodeId from, ShardId shard, LogIndex atLeast, TransferResume? resume, CancellationToken cancellation);

    /// <summary>From the beginning.</summary>
    Task<TransferOpening> OpenAsync(NodeId from, ShardId shard, LogIndex atLeast, CancellationToken cancellation) =>
        OpenAsync(from, shard, atLeast, null, cancellation);
}
