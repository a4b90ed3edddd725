using RaftQueue.Consensus;
using RaftQueue.Primitives;

namespace RaftQueue.Storage;

/// <summary>Who is told what is durable. All calls come on the loop of the log and must only hand over.</summary>
public interface IWalListener
{
    /// <summary>The shard's log is durable through <paramref name="index"/>, whose entry has <paramref name="term"/>. Stale when superseded meanwhile.</summary>
    void Persisted(ShardId shard, LogIndex index, Term term);

    /// <summary>This state, or a newer one of the shard, is durable in both copies.</summary>
    void HardStatePersisted(ShardId shard, HardState state);

    /// <summary>Whether only the reserve is left; see <see cref="WriteAheadLog.IsFull"/>.</summary>
    void DiskFullChanged(bool full);
}
