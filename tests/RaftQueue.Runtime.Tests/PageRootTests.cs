using System.Buffers.Binary;
using RaftQueue.Jobs;
using RaftQueue.Pages;
using RaftQueue.Primitives;
using RaftQueue.Simulation;
using RaftQueue.TestKit;
using RaftQueue.Transport;

namespace RaftQueue.Runtime.Tests;

/// <summary>Pages that differ where no outcome does: no state hash sees it, the page trees at checkpoint positions do.</summary>
public sealed class PageRootTests
{
    private const string RepairMark = "/data/shard-0/repair";
    private const int NobodysByte = 4_000;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void WhoseBytesDifferFromAMajoritysStopsAndComesBackWithTheirPages(bool leader)
    {
        SimulatedCluster cluster = Started(seed: 201);
        SimulatedNode victim = leader ? cluster.AwaitLeader() : cluster.Nodes.Find(node => node != cluster.AwaitLeader())!;
        Flip(victim, 1);
        for (int i = 0; i < 5; i++) Enqueue(cluster, "small");
        cluster.AwaitSameState(); // the state hashes are equal
        StateDivergedException stopped = Assert.Throws<StateDivergedException>(() => UntilTheNextCheckpoint(cluster));
        Assert.Contains("page tree of the checkpoint at index", stopped.Message, StringComparison.Ordinal);
        Assert.Contains("a majority of the voters has another", stopped.Message, StringComparison.Ordinal);
        Assert.True(victim.Node!.Completion.IsCompleted);
        Assert.True(victim.Disk.FileExists(RepairMark));

        cluster.Crash(victim, CrashMode.ProcessDeath);
        cluster.RunUntil(() => cluster.Leader() is not null, "the others go on");
        Enqueue(cluster, "without it");
        cluster.Start(victim);
        cluster.RunUntil(() => victim.Node!.IsReady, "it is back");
        Assert.Contains("pages of the checkpoint", cluster.History, StringComparison.Ordinal);
        Assert.False(victim.Disk.FileExists(RepairMark));
        UntilTheNextCheckpoint(cluster);
        cluster.AwaitSameState();
        Assert.Single(cluster.Nodes.Select(node => Pages(node).ComputeRootHashInPlace()).Distinct());
    }

    [Fact]
    public void WhereNoMajorityAgreesNobodyServes()
    {
        SimulatedCluster cluster = Started(seed: 202);
        var stopped = new List<string>();
        cluster.NodeFailed = (node, exception) =>
        {
            stopped.Add(Assert.IsType<StateDivergedException>(exception).Message);
            cluster.Crash(node, CrashMode.ProcessDeath);
            return true;
        };
        foreach (SimulatedNode node in cluster.Nodes) Flip(node, (byte)node.Id.Value);
        SimulatedNode leader = cluster.AwaitLeader();
        for (int i = 0; i < 12; i++) _ = cluster.EnqueueAsync(leader, "work", Big).AsTask();
        cluster.RunFor(10_000);
        Assert.NotEmpty(stopped);
        Assert.All(stopped, message => Assert.Contains("no majority of the voters agrees on any", message, StringComparison.Ordinal));
        Assert.All(cluster.Nodes, node => Assert.False(node.Disk.FileExists(RepairMark)));

        // What the first said may have died with it; who is left does not know who is right.
        foreach (SimulatedNode node in cluster.Nodes.FindAll(node => node.IsRunning)) AssertServesNobody(cluster, node);
        foreach (SimulatedNode node in cluster.Nodes.FindAll(node => !node.IsRunning)) cluster.Start(node);
        cluster.RunFor(10_000);
        Assert.True(stopped.Count >= 3, "started again, it says what it has, and the others stop");
    }

    [Fact]
    public void WhereNobodyKnowsWhoIsRightTheLeaderStepsDownAndNobodyIsServedUntilTheThirdNodeTells()
    {
        SimulatedCluster cluster = Started(seed: 203);
        SimulatedNode leader = cluster.AwaitLeader();
        SimulatedNode third = cluster.Nodes.Find(node => node != leader)!;
        SimulatedNode wrong = cluster.Nodes.Find(node => node != leader && node != third)!;
        cluster.Crash(third, CrashMode.ProcessDeath);
        Flip(wrong, 1);
        UntilTheNextCheckpoint(cluster);
        cluster.RunUntil(() => InDoubt(leader) && InDoubt(wrong), "both are in doubt");
        Assert.Equal("its state differs from others'", leader.Node!.Parts.Replica.Shards[0].Raft.LastStepDownReason);
        Assert.Contains("no majority is known to agree on any", cluster.History, StringComparison.Ordinal);
        cluster.RunUntil(() => cluster.Leader() is not null, "one of them brings the log to the third");
        foreach (SimulatedNode node in new[] { leader, wrong }) AssertServesNobody(cluster, node);

        StateDivergedException? stopped = null;
        cluster.NodeFailed = (node, exception) =>
        {
            Assert.Same(wrong, node);
            stopped = Assert.IsType<StateDivergedException>(exception);
            cluster.Crash(node, CrashMode.ProcessDeath);
            return true;
        };
        cluster.Start(third);
        cluster.RunUntil(() => stopped is not null, "the one that is wrong stops");
        cluster.RunUntil(() => !InDoubt(leader), "the other one is right");
        cluster.RunUntil(() => leader.Node!.IsReady && third.Node!.IsReady, "they lead and follow");
        Enqueue(cluster, "served again");
    }

    [Fact]
    public void ALeaderInDoubtNamesAPositionForWhoeverSkippedTheLast()
    {
        SimulatedCluster cluster = Started(seed: 205);
        (SimulatedNode leader, SimulatedNode third, SimulatedNode wrong) = DoubtThatOneSkipped(cluster);

        // Not the one who is not in doubt: nobody is served, and no position would come from the load.
        cluster.RunUntil(() => cluster.Leader() is not null, "somebody leads");
        cluster.RunFor(500);
        cluster.AwaitLeader().Node!.Parts.Replica.Post(new HandOver(new ShardId(0), leader.Id));
        cluster.RunUntil(() => cluster.Leader() == leader, "the one who was right leads again");
        third.Loops!.Hold("checkpoint", 0);
        var stopped = new List<SimulatedNode>();
        cluster.NodeFailed = (node, exception) =>
        {
            Assert.IsType<StateDivergedException>(exception);
            stopped.Add(node);
            cluster.Crash(node, CrashMode.ProcessDeath);
            return true;
        };
        cluster.RunUntil(() => stopped.Contains(wrong), "the one that is wrong stops");
        cluster.RunUntil(() => !InDoubt(leader), "the other one is right");
        Enqueue(cluster, "served again");
        Assert.Equal([wrong], stopped);
    }

    /// <summary>The third is not in doubt and leads without load: it says what it has, and only the one that is wrong stops.</summary>
    [Theory]
    [InlineData(208)]
    [InlineData(209)]
    [InlineData(210)]
    public void ALeaderWhoSkippedWhatOthersDoubtDecides(ulong seed)
    {
        SimulatedCluster cluster = Started(seed);
        (_, SimulatedNode third, SimulatedNode wrong) = DoubtThatOneSkipped(cluster);
        var stopped = new List<SimulatedNode>();
        cluster.NodeFailed = (node, exception) =>
        {
            Assert.IsType<StateDivergedException>(exception);
            stopped.Add(node);
            cluster.Crash(node, CrashMode.ProcessDeath);
            return true;
        };
        for (int i = 0; i < 10 && cluster.Leader() != third && stopped.Count == 0; i++)
        {
            cluster.RunFor(500);
            if (cluster.Leader() is { } other && other != third) other.Node!.Parts.Replica.Post(new HandOver(new ShardId(0), third.Id));
            cluster.RunFor(500);
        }

        Assert.Same(third, cluster.Leader());
        third.Loops!.Hold("checkpoint", 0);
        cluster.RunFor(25_000);
        Assert.Equal([wrong], stopped);
        Enqueue(cluster, "served by the majority");
    }

    /// <summary>Of three the wrong one is gone, and the other skipped the position at which it differed: the next one decides.</summary>
    [Fact]
    public void ALeaderInDoubtGoesOnWithAMajorityThatSaidNothingElse()
    {
        SimulatedCluster cluster = Started(seed: 305);
        (SimulatedNode leader, SimulatedNode third, SimulatedNode wrong) = DoubtThatOneSkipped(cluster);
        cluster.Crash(wrong, CrashMode.ProcessDeath);
        cluster.RunUntil(() => cluster.Leader() is not null, "somebody leads");
        if (cluster.Leader() != leader)
        {
            cluster.RunFor(500);
            cluster.AwaitLeader().Node!.Parts.Replica.Post(new HandOver(new ShardId(0), leader.Id));
            cluster.RunUntil(() => cluster.Leader() == leader, "the one in doubt leads");
        }

        third.Loops!.Hold("checkpoint", 0);
        cluster.RunUntil(() => !InDoubt(leader), "both have said what they have", 60_000);
        Assert.Equal(OutcomeKind.Applied, cluster.Enqueue(cluster.AwaitLeader(), "work", "1").Kind);
    }

    [Fact]
    public void ANodeTellsOfTheCheckpointsThatItBeganWith()
    {
        SimulatedCluster cluster = Started(seed: 206);
        SimulatedNode node = cluster.Nodes.Find(each => each != cluster.AwaitLeader())!;
        CheckpointFile file = node.Node!.Parts.Files[new ShardId(0)];
        long[] kept = [file.Older!.Index.Value, file.Newest!.Index.Value];
        var told = new List<long[]>();
        cluster.Network.Sent = (from, _, kind, _, payload) =>
        {
            if (from == node.Id && kind == FrameKind.Forward && payload[0] == (byte)ForwardKind.CheckpointRoots)
            {
                var indexes = new List<long>();
                for (int at = 1; at < payload.Length; at += 16) indexes.Add(BinaryPrimitives.ReadInt64LittleEndian(payload[at..]));
                told.Add([.. indexes]);
            }
        };
        cluster.Crash(node, CrashMode.ProcessDeath);
        cluster.Start(node);
        cluster.RunFor(5_000);
        Assert.NotEmpty(told);
        Assert.All(told, indexes => Assert.Equal(kept, indexes));
    }

    [Fact]
    public void ADoubtedCheckpointIsGivenToNobody()
    {
        SimulatedCluster cluster = Started(seed: 204);
        UntilTheNextCheckpoint(cluster);
        CheckpointFiles files = cluster.AwaitLeader().Node!.Parts.Files;
        var shard = new ShardId(0);
        files.SetInDoubt(shard, true);
        Assert.Null(files.OpenReader(shard));
        files.SetInDoubt(shard, false);
        using CheckpointReader? reader = files.OpenReader(shard);
        Assert.NotNull(reader);
    }

    internal static string Big => $"\"{new string('x', 150_000)}\"";

    /// <summary>A leader differs from one at a position that the third, who was writing a checkpoint, has nothing to say about.</summary>
    private static (SimulatedNode Leader, SimulatedNode Third, SimulatedNode Wrong) DoubtThatOneSkipped(SimulatedCluster cluster)
    {
        SimulatedNode leader = cluster.AwaitLeader();
        SimulatedNode third = cluster.Nodes.Find(node => node != leader)!;
        SimulatedNode wrong = cluster.Nodes.Find(node => node != leader && node != third)!;
        third.Loops!.Hold("checkpoint", cluster.Clock.MonotonicMicroseconds + 3_600_000_000);
        UntilTheNextCheckpoint(cluster, leader, wrong);
        Flip(wrong, 1);
        UntilTheNextCheckpoint(cluster, leader, wrong);
        cluster.RunUntil(() => InDoubt(leader) && InDoubt(wrong), "both are in doubt");
        Assert.False(InDoubt(third));
        return (leader, third, wrong);
    }

    internal static SimulatedCluster Started(ulong seed)
    {
        var cluster = new SimulatedCluster(3, 1, seed, options => options with { CheckpointLogMiB = 1 });
        cluster.StartAll();
        cluster.AwaitLeader();
        UntilTheNextCheckpoint(cluster);
        cluster.RunFor(2_000);
        UntilTheNextCheckpoint(cluster);
        cluster.AwaitSameState();
        return cluster;
    }

    /// <summary>A byte of the root page that nothing reads.</summary>
    internal static void Flip(SimulatedNode node, byte bits)
    {
        using PageHandle page = Pages(node).Pin(PageNumber.Root, PageIntent.Write);
        page.Write[NobodysByte] ^= bits;
    }

    internal static bool InDoubt(SimulatedNode node) => node.Node!.Parts.Replica.Shards[0].InDoubt;

    internal static PageStore Pages(SimulatedNode node) => node.Node!.Parts.Applies[0].State.Pages;

    internal static void Enqueue(SimulatedCluster cluster, string payload)
    {
        CommandOutcome outcome = cluster.Enqueue(cluster.AwaitLeader(), "work", $"\"{payload}\"");
        Assert.Equal((OutcomeKind.Applied, ResultCode.Ok), (outcome.Kind, outcome.Code));
    }

    internal static void AssertServesNobody(SimulatedCluster cluster, SimulatedNode node)
    {
        CommandOutcome outcome = cluster.Enqueue(node, "work", "1");
        Assert.Equal((OutcomeKind.NotApplied, NotAppliedReason.NoLeader), (outcome.Kind, outcome.Reason));
        CommandOutcome lease = cluster.Await(cluster.LeaseAsync(node, "work", 1, waitMs: 0), "a lease");
        Assert.Equal((OutcomeKind.NotApplied, NotAppliedReason.NoLeader), (lease.Kind, lease.Reason));
        ReadOutcome read = cluster.Await(
            node.Node!.ReadAsync(new ShardId(0), ReadConsistency.Linearizable, 0, static (_, _, _) => true), "a read");
        Assert.False(read.Decided);
    }

    /// <summary>Enqueues until every running node (or these) has another checkpoint, and gives them time to compare.</summary>
    internal static void UntilTheNextCheckpoint(SimulatedCluster cluster, params SimulatedNode[] nodes)
    {
        List<SimulatedNode> running = nodes.Length > 0 ? [.. nodes] : cluster.Nodes.FindAll(node => node.IsRunning);
        List<LogIndex?> before = [.. running.Select(Newest)];
        while (running.Where((node, place) => Newest(node) == before[place]).Any())
        {
            cluster.Enqueue(cluster.AwaitLeader(), "work", Big);
            cluster.RunFor(200);
        }

        cluster.RunFor(1_000);
    }

    internal static LogIndex? Newest(SimulatedNode node) => node.Node!.Parts.Files[new ShardId(0)].Newest?.Index;
}
