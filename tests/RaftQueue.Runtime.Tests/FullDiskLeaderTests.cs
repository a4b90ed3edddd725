using RaftQueue.Primitives;
using RaftQueue.Simulation;

namespace RaftQueue.Runtime.Tests;

/// <summary>A full disk and who leads what.</summary>
public sealed class FullDiskLeaderTests
{
    private readonly SimulatedCluster _cluster = new(3, 3, seed: 32);

    [Fact]
    public void NoShardIsHandedToANodeWhoseDiskIsFull()
    {
        _cluster.StartAll();
        AwaitSpread();
        SimulatedNode full = _cluster[2];
        Fill(full);
        _cluster.RunUntil(() => _cluster.Leader(1) is { } now && now != full, "the full node has handed shard 1 over", 20_000);
        long term = TermOf(1);
        _cluster.RunFor(40_000);
        Assert.Equal(term, TermOf(1));
        Assert.NotEqual(full, _cluster.Leader(1));

        // There is room again: it leads its shard again.
        full.Disk.CapacityBytes = null;
        AwaitSpread();
    }

    [Fact]
    public void WhoHandsOverSeldomToSpreadTheLeadersMakesWayAtOnceWhenItsDiskIsFull()
    {
        _cluster.StartAll();
        AwaitSpread();

        // Each hand-over to where a shard belongs makes the next pause longer.
        SimulatedNode full = _cluster[2];
        for (int i = 0; i < 4; i++)
        {
            _cluster[1].Node!.Parts.Replica.Post(new HandOver(new ShardId(0), full.Id));
            _cluster.RunUntil(() => _cluster.Leader(0) == full, "node 2 leads shard 0");
            AwaitSpread();
        }

        _cluster[1].Node!.Parts.Replica.Post(new HandOver(new ShardId(0), full.Id));
        _cluster.RunUntil(() => _cluster.Leader(0) == full, "node 2 leads shard 0 once more");
        Fill(full);
        _cluster.RunUntil(() => _cluster.Leader(0) is { } now && now != full, "the full node has handed shard 0 over", 10_000);
    }

    private void AwaitSpread() => _cluster.RunUntil(
        () => Enumerable.Range(0, 3).All(shard => _cluster.Leader(shard) == _cluster[shard + 1]), "leaders are spread", 300_000, 100);

    private void Fill(SimulatedNode node)
    {
        node.Disk.CapacityBytes = node.Disk.UsedBytes;
        string payload = new('x', 100_000);
        for (int i = 0; !node.Node!.Parts.Shared.IsDiskFull; i++)
        {
            Assert.True(i < 200, "the log needs another segment");
            _cluster.Enqueue(_cluster.AwaitLeader(i % 3), $"queue-{i}", payload);
        }
    }

    private long TermOf(int shard) => _cluster.Nodes.Max(node => node.Node!.Parts.Replica.Shards[shard].Raft.Term.Value);
}
