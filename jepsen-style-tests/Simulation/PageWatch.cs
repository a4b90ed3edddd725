using RaftQueue.Checkers;
using RaftQueue.Pages;
using RaftQueue.Primitives;
using RaftQueue.Runtime;

namespace RaftQueue.Simulation;

/// <summary>
/// P10: nodes at the same index have the same pages, byte for byte. Compared by hash are all checkpoints, the states of nodes at
/// indexes drawn by their number, those of all nodes at the end, and the log replayed. Nothing here changes what a run does: a page
/// that is not in memory counts with the hash that its next read is held against.
/// </summary>
internal sealed class PageWatch(RaftChecker raft)
{
    /// <summary>Of so many indexes one is drawn: to look at a state costs as much as some of its entries.</summary>
    private const ulong OneOf = 4;

    private const int MostAudits = 16;

    private readonly Dictionary<CheckpointFile, LogIndex> _seen = [];
    private readonly Dictionary<ShardId, SortedSet<long>> _checkpoints = [];

    public PagesCompared Compared { get; private set; }

    /// <summary>The node's state of a shard is at an index at which it was not before.</summary>
    public void Applied(NodeId node, ShardReplica replica, LogIndex index)
    {
        if (SplitMix64.Mix((ulong)index.Value) % OneOf == 0) Compare(node, replica.Apply, index);
    }

    /// <summary>A node's newest checkpoint, if it was not looked at before.</summary>
    public void LookAtCheckpoint(NodeId node, Node running, ShardId shard)
    {
        CheckpointFile file = running.Parts.Files[shard];
        if (file.Newest is not { } newest || _seen.GetValueOrDefault(file) == newest.Index) return;
        _seen[file] = newest.Index;
        if (!_checkpoints.TryGetValue(shard, out SortedSet<long>? indexes)) _checkpoints.Add(shard, indexes = []);
        indexes.Add(newest.Index.Value);
        Tell(shard, node, newest.Index, file.RootHash, checkpoints: 1);
    }

    /// <summary>The states of all nodes, which are at one index.</summary>
    public void CompareAll(IEnumerable<SimulatedNode> nodes, int shard)
    {
        foreach (SimulatedNode node in nodes)
        {
            ShardApply apply = node.Node!.Parts.Applies[shard];
            Compare(node.Id, apply, apply.Store.AppliedIndex);
        }
    }

    /// <summary>Where the log replayed has to have the same pages: the newest checkpoints that were seen, and its end.</summary>
    public IReadOnlySet<long> Audits(ShardId shard, LogIndex end)
    {
        HashSet<long> audits = [end.Value];
        if (_checkpoints.TryGetValue(shard, out SortedSet<long>? indexes)) audits.UnionWith(indexes.Reverse().Take(MostAudits));
        return audits;
    }

    /// <summary>The replayed log was compared at its end, and with it every node.</summary>
    public void CompareReplay(TruthShard replayed)
    {
        long before = Compared.Times;
        foreach ((long index, ulong hash) in replayed.RootHashes) Tell(replayed.Shard, NodeId.None, new LogIndex(index), hash);
        Require.That(
            Compared.Times > before && Compared.HighestIndex >= replayed.LastIndex.Value, $"P10: the pages of shard {replayed.Shard} were compared at its end {replayed.LastIndex}");
    }

    private void Compare(NodeId node, ShardApply apply, LogIndex index)
    {
        if (apply.Store.AppliedIndex == index) Tell(apply.Shard, node, index, apply.State.Pages.ComputeRootHashInPlace());
    }

    private void Tell(ShardId shard, NodeId node, LogIndex index, ulong hash, int checkpoints = 0)
    {
        if (raft.Pages(shard, node, index.Value, hash)) Compared += new PagesCompared(1, checkpoints, index.Value);
    }
}
