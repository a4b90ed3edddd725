using RaftQueue.Checkers;
using RaftQueue.Primitives;
using RaftQueue.Runtime;

namespace RaftQueue.Simulation.Tests;

/// <summary>What a node holds for durable is asked of its disk; every question is shown to find a disk that says no.</summary>
public sealed class DiskWatchTests : IDisposable
{
    private static readonly ShardId Shard = new(0);

    private readonly SimulatedCluster _cluster = new(3, 1, seed: 62);
    private readonly DiskWatch _watch;

    public DiskWatchTests()
    {
        _watch = new DiskWatch(_cluster);
        _cluster.StartAll();
        for (int i = 0; i < 5; i++) _cluster.Enqueue(_cluster.AwaitLeader(), "work", $"{i}");
        _cluster.AwaitSameState();
    }

    private SimulatedNode One => _cluster[1];

    private Node Running => One.Node!;

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public void EntriesThatCountAsDurableAreOnTheMedium()
    {
        LogIndex last = Running.Parts.Replica.Shards[0].Raft.DurableIndex;
        (string? path, int offset, int bytes) = Running.Parts.Shared.Wal.PlaceOf(Shard, last)!.Value;
        byte[] held = One.Disk.ReadAll(path!)[offset..(offset + bytes)];
        One.Disk.Open(path!, create: false).WriteAt(offset, held);
        Fails(() => _watch.Look(One, Running), $"node 1 holds entry {last} of shard 0 for durable, and the medium does not have it");
        One.Disk.Open(path!, create: false).DataSync();
        _watch.Look(One, Running);
    }

    [Fact]
    public void ATermAndAVoteAreOnTheMediumBeforeAnybodyIsToldOfThem()
    {
        Incarnation life = Running.Parts.Shared.Incarnation;
        Term term = Running.Parts.Replica.Shards[0].Raft.Term;
        _watch.Promises(One.Id, life, Shard, term, NodeId.None);
        Fails(() => _watch.Promises(One.Id, life, Shard, new Term(term.Value + 1), NodeId.None), $"speaks in term {term.Value + 1} of shard 0");
        Fails(() => _watch.Promises(One.Id, life, Shard, term, new NodeId(9)), "votes for 9, and the medium has");
        IDiskFile copy = One.Disk.Open("/data/hardstate-b", create: false);
        copy.WriteAt(0, new byte[8]);
        _watch.Promises(One.Id, new Incarnation(7), Shard, term, NodeId.None);
        copy.DataSync();
        copy.WriteAt(24, new byte[20]);
        copy.DataSync();
        Fails(() => _watch.Promises(One.Id, new Incarnation(8), Shard, term, NodeId.None), "the medium has 1 whole copies");
        // Nothing is said of copies that were damaged.
        One.Damaged = DamagedParts.HardState;
        _watch.Promises(One.Id, new Incarnation(8), Shard, term, NodeId.None);
    }

    private static void Fails(Action act, string says)
    {
        var violated = Assert.Throws<PropertyViolatedException>(act);
        Assert.Equal("P10", violated.Property);
        Assert.Contains(says, violated.Message, StringComparison.Ordinal);
    }
}
