using RaftQueue.Primitives;

namespace RaftQueue.Transport;

/// <summary>Fetches checkpoints from peers page by page, over connections of their own. Any thread.</summary>
public interface ITransferClient
{
    /// <summary>
    /// Connects to <paramref name="from"/> and opens its newest checkpoint of <paramref name="shard"/> at or above
    /// <paramref name="atLeast"/>. Expected failures are outcomes; only cancellation throws.
    /// </summary>
    Task<TransferOpening> OpenAsync(NodeId from, ShardId shard, LogIndex atLeast, CancellationToken cancellation);
}
