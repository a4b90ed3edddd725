using RaftQueue.Primitives;

namespace RaftQueue.Transport;

/// <summary>Where whole checkpoints come from. Called on pool threads, several at a time.</summary>
public interface ITransferSource
{
    /// <summary>A checkpoint of <paramref name="shard"/> at or above <paramref name="atLeast"/>, or null when there is none. The network disposes it.</summary>
    ITransferReader? Open(ShardId shard, LogIndex atLeast);

    /// <summary>
    /// The checkpoint whose <see cref="ITransferReader.InfoBytes"/> are <paramref name="info"/>, to go on with a transfer that broke;
    /// null when it is gone, and then <see cref="Open"/> is asked.
    /// </summary>
    ITransferReader? OpenAgain(ShardId shard, ReadOnlyMemory<byte> info) => null;
}
