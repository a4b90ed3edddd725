using RaftQueue.Consensus;
using RaftQueue.Primitives;

namespace RaftQueue.Storage.Tests;

internal sealed class RecordingListener : IWalListener
{
    public List<(ShardId Shard, LogIndex Index, Term Term)> Entries { get; } = [];

    public List<(ShardId Shard, HardState State)> HardStates { get; } = [];

    public List<bool> Full { get; } = [];

    public void Persisted(ShardId shard, LogIndex index, Term term) => Entries.Add((shard, index, term));

    public void HardStatePersisted(ShardId shard, HardState state) => HardStates.Add((shard, state));

    public void DiskFullChanged(bool full) => Full.Add(full);
}
