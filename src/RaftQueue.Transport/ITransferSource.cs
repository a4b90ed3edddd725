using RaftQueue.Primitives;

namespace RaftQueue.Transport;

/// <summary>Where checkpoints come from. Called on pool threads, several at a time.</summary>
public interface ITransferSource
{
    /// <summary>
    /// The newest checkpoint of <paramref name="shard"/> when it is at or above <paramref name="atLeast"/>; null when there is none,
    /// or when as many are open as may be. The network disposes it.
    /// </summary>
    ITransferReader? Open(ShardId shard, LogIndex atLeast);
}
