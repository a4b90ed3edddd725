using RaftQueue.Checkers;
using RaftQueue.Consensus;
using RaftQueue.Jobs;
using RaftQueue.Primitives;
using RaftQueue.Simulation;
using RaftQueue.Storage;
using RaftQueue.TestKit;

namespace RaftQueue.Runtime.Tests;

/// <summary>A node whose checkpoints are damaged gives its log up and fetches everything: what it had acknowledged stays acknowledged meanwhile.</summary>
public sealed class GivenUpLogTests
{
    private const string CheckpointPath = "/data/shard-0/checkpoint";
    private static readonly ShardId Shard = new(0);

    [Fact]
    public void ALeaderThatHasTheLogFromItsBeginningSendsIt()
    {
        var cluster = new SimulatedCluster(3, 1, 91, options => options with { CheckpointLogMiB = 1 });
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        SimulatedNode victim = cluster.Nodes.Find(node => node != leader)!;
        leader.Loops!.Hold("checkpoint", long.MaxValue);
        Load(cluster, 24);
        Assert.Same(leader, cluster.AwaitLeader());
        Spoil(cluster, victim);
        cluster.Start(victim);
        Assert.False(Raft(victim).CanVote);
        cluster.RunUntil(() => victim.Node!.IsReady && Raft(victim).CanVote, "the damaged node has everything again", 20_000);
        cluster.AwaitSameState();
    }

    [Fact]
    public void WhoDiesWhileItCatchesUpDoesNotVoteAfterwards()
    {
        var cluster = new SimulatedCluster(3, 1, 93, options => options with { CheckpointLogMiB = 20, WalSegmentBytes = 64 << 20 });
        cluster.StartAll();
        Load(cluster, 285);
        SimulatedNode leader = cluster.AwaitLeader();
        SimulatedNode victim = cluster.Nodes.Find(node => node != leader)!;
        LogIndex acknowledged = Raft(victim).LastIndex;
        Spoil(cluster, victim);
        cluster.Start(victim);
        DieOnTheWay(cluster, leader, victim);
        cluster.Start(victim);
        Assert.True(Raft(victim).LastIndex < acknowledged, "it died on the way");
        Assert.False(Raft(victim).CanVote);
        cluster.Network.Heal();
        cluster.RunUntil(() => Raft(victim).CanVote, "it has everything again", 20_000);
        Assert.True(Raft(victim).LastIndex >= acknowledged);
    }

    [Theory]
    [InlineData(CrashMode.ProcessDeath)]
    [InlineData(CrashMode.PowerLoss)]
    public void WhatWasAnsweredIsNotLost(CrashMode mode)
    {
        var cluster = new SimulatedCluster(3, 1, 93, options => options with { CheckpointLogMiB = 20, WalSegmentBytes = 64 << 20 });
        cluster.StartAll();
        Load(cluster, 280);
        SimulatedNode leader = cluster.AwaitLeader();
        SimulatedNode victim = cluster.Nodes.Find(node => node != leader)!;
        SimulatedNode other = cluster.Nodes.Find(node => node != leader && node != victim)!;
        cluster.Network.Isolate(other.Id);
        Load(cluster, 5);
        Spoil(cluster, victim);
        cluster.Start(victim);
        DieOnTheWay(cluster, leader, victim);
        cluster.Crash(leader, mode);
        cluster.Network.Heal();
        cluster.Start(victim);
        cluster.RunFor(5_000);
        Assert.DoesNotContain(new[] { victim, other }, node => Raft(node).Role == Role.Leader);
        cluster.Start(leader);
        cluster.RunUntil(() => cluster.Nodes.TrueForAll(node => node.Node!.IsReady), "all are ready", 30_000);
        cluster.AwaitSameState();
        Assert.Equal(285, victim.Node!.Parts.Applies[0].Store.JobCount);
    }

    [Fact]
    public void WhatStoodInACheckpointThatIsDamagedBeforeAnythingFollowedItIsNotForgotten()
    {
        var cluster = new SimulatedCluster(3, 1, 95, options => options with { CheckpointLogMiB = 1 });
        cluster.StartAll();
        Load(cluster, 24);
        SimulatedNode leader = cluster.AwaitLeader();
        SimulatedNode victim = cluster.Nodes.Find(node => node != leader)!;
        ShardLink link = leader.Node!.Parts.Applies[0].Link;
        for (LogIndex before = link.NamedCheckpointIndex; link.NamedCheckpointIndex == before;) Load(cluster, 1);
        LogIndex acknowledged = Raft(victim).LastIndex;
        Assert.Equal(acknowledged, link.NamedCheckpointIndex);
        Spoil(cluster, victim);
        cluster.Start(victim);
        cluster.RunUntil(() => Wal(victim).Log(Shard).FirstIndex > acknowledged && Wal(victim).DurableIndex(Shard) == acknowledged, "its log begins anew");

        // What it fetched is damaged in its turn, and it dies before it has anything again.
        Spoil(cluster, victim);
        cluster.Network.Isolate(victim.Id);
        for (int life = 0; life < 3; life++)
        {
            cluster.Start(victim);
            cluster.RunFor(200);
            Assert.False(Raft(victim).CanVote);
            if (life > 0) Assert.Equal(acknowledged, Wal(victim).Recovered(Shard).VoteFloor?.Index);
            cluster.Crash(victim, CrashMode.PowerLoss);
        }

        cluster.Network.Heal();
        cluster.Start(victim);
        cluster.RunUntil(() => victim.Node!.IsReady && Raft(victim).CanVote, "it has everything again", 20_000);
        cluster.AwaitSameState();
    }

    /// <summary>A stale read shows what this node has applied. Nothing is not what it has applied.</summary>
    [Fact]
    public void WithoutItsStateItAnswersNoStaleReads()
    {
        var cluster = new SimulatedCluster(3, 1, 94, options => options with { CheckpointLogMiB = 1 });
        cluster.StartAll();
        Load(cluster, 24);
        SimulatedNode victim = cluster.Nodes.Find(node => node != cluster.AwaitLeader())!;
        Assert.True(StaleRead(cluster, victim).Found);
        Spoil(cluster, victim);
        cluster.Network.Isolate(victim.Id);
        cluster.Start(victim);
        cluster.RunFor(1_000);
        ReadOutcome read = StaleRead(cluster, victim);
        Assert.Equal((false, true), (read.Decided, read.LacksState));
        ReadOutcome job = cluster.Await(victim.Node!.ReadJobAsync(new JobId(1, Shard, 1), false, 0, ReadConsistency.Stale), "a stale read");
        Assert.Equal((false, true), (job.Decided, job.LacksState));
        Assert.False(victim.Node!.IsReady);

        cluster.Network.Heal();
        cluster.RunUntil(() => StaleRead(cluster, victim) is { Decided: true, Found: true }, "it has its state back");
        Assert.NotEqual(LogIndex.Zero, StaleRead(cluster, victim).Index);
    }

    /// <summary>Entries that only this node had were never committed: it need not have them again.</summary>
    [Fact]
    public void StaleReadsGoOnThoughTheLogWasLongerThanItWillBe()
    {
        var cluster = new SimulatedCluster(3, 1, 97, options => options with { CheckpointLogMiB = 20 });
        cluster.StartAll();
        Load(cluster, 3);
        SimulatedNode victim = cluster.AwaitLeader();
        cluster.Network.Isolate(victim.Id);
        for (int i = 0; i < 10; i++)
        {
            _ = cluster.EnqueueAsync(victim, "work", "1").AsTask();
            cluster.RunFor(10);
        }

        LogIndex held = Raft(victim).LastIndex;
        cluster.Crash(victim, CrashMode.ProcessDeath);
        using (IDiskFile mark = victim.Disk.Open("/data/shard-0/repair", create: true)) mark.DataSync();
        victim.Disk.SyncDirectory("/data/shard-0");
        cluster.Network.Heal();
        cluster.Start(victim);
        cluster.RunUntil(() => StaleRead(cluster, victim).Decided, "it reads again");
        Assert.Equal(Raft(cluster.AwaitLeader()).CommitIndex, StaleRead(cluster, victim).Index);
        Assert.True(StaleRead(cluster, victim).Index < held);
    }

    private static ReadOutcome StaleRead(SimulatedCluster cluster, SimulatedNode node) => cluster.Await(
        node.Node!.ReadAsync(Shard, ReadConsistency.Stale, 0, static (store, _, _) => store.ReadyCount("work"u8) > 0), "a stale read");

    /// <summary>The third node lacks what the damaged one and the leader answered together; the leader is gone for a while.</summary>
    [Theory]
    [InlineData(CrashMode.ProcessDeath, 1)]
    [InlineData(CrashMode.PowerLoss, 1)]
    [InlineData(CrashMode.PowerLoss, 3)]
    public void WhereverItDiesWhatWasAnsweredIsNotLost(CrashMode mode, int shards)
    {
        int crashes = 0;
        int whole = 0;
        for (int at = 0; at < 400; at += 7)
        {
            var cluster = new SimulatedCluster(3, shards, 96, options => options with { CheckpointLogMiB = 1 });
            cluster.StartAll();
            Load(cluster, 12);
            SimulatedNode leader = cluster.AwaitLeader();
            SimulatedNode victim = cluster.Nodes.Find(node => node != leader)!;
            SimulatedNode other = cluster.Nodes.Find(node => node != leader && node != victim)!;
            cluster.Network.Isolate(other.Id);
            Load(cluster, 8);
            Assert.Same(leader, cluster.AwaitLeader());
            LogIndex answered = Raft(leader).CommitIndex;
            var stored = new StoredChecker();
            stored.Stores(Shard, victim.Node!.Parts.Shared.Incarnation, Wal(victim).DurableIndex(Shard).Value);
            Spoil(cluster, victim);
            bool crashed = false;
            cluster.NodeFailed = (node, exception) =>
            {
                if (!IsPlanned(exception)) return false;
                crashed = true;
                cluster.Crash(node, mode);
                return true;
            };
            victim.Disk.CrashAtOperation = victim.Disk.Operations + 1 + at;
            StartUnlessItDies(cluster, victim, mode, ref crashed);
            cluster.RunUntil(() => crashed || (victim.Node!.IsReady && Raft(victim).CanVote), "it died or has everything again", 20_000);
            victim.Disk.CrashAtOperation = null;
            if (!crashed) break;
            crashes++;
            cluster.Crash(leader, mode);
            cluster.Network.Heal();
            cluster.Start(victim);
            stored.Starts(Shard, victim.Node!.Parts.Shared.Incarnation, victim.Id, Raft(victim).LastIndex.Value, Raft(victim).CanVote);
            cluster.RunFor(2_000);
            if (Raft(victim).LastIndex < answered) Assert.DoesNotContain(new[] { victim, other }, node => Raft(node).Role == Role.Leader);
            else whole++;
            cluster.Start(leader);
            cluster.RunUntil(() => cluster.Nodes.TrueForAll(node => node.Node!.IsReady), $"all are ready, death at {at}", 30_000);
            cluster.AwaitSameState();
            Assert.Equal(20, victim.Node!.Parts.Applies.Sum(apply => apply.Store.JobCount));
        }

        Assert.InRange(crashes, 15, 44);
        Assert.True(crashes - whole >= 6, $"of {crashes} deaths {whole} came when it had everything");
    }

    private static void StartUnlessItDies(SimulatedCluster cluster, SimulatedNode node, CrashMode mode, ref bool died)
    {
        try
        {
            cluster.Start(node);
        }
        catch (Exception exception) when (IsPlanned(exception))
        {
            died = true;
            node.Disk.CrashAtOperation = null;
            cluster.Crash(node, mode);
        }
    }

    private static bool IsPlanned(Exception exception) =>
        exception is SimulatedCrashException || (exception.InnerException is { } inner && IsPlanned(inner));

    /// <summary>The checkpoint is installed, some entries behind it are appended, and not all that it had before.</summary>
    private static void DieOnTheWay(SimulatedCluster cluster, SimulatedNode leader, SimulatedNode victim)
    {
        long checkpoint = leader.Node!.Parts.Applies[0].Link.NamedCheckpointIndex.Value;
        cluster.RunUntil(
            () => cluster.History.Contains(" installed, ", StringComparison.Ordinal) && Raft(victim).LastIndex.Value > checkpoint + 1,
            "it is on its way",
            60_000);
        cluster.Network.Isolate(victim.Id);
        cluster.RunFor(100);
        cluster.Crash(victim, CrashMode.ProcessDeath);
    }

    private static WriteAheadLog Wal(SimulatedNode node) => node.Node!.Parts.Shared.Wal;

    private static RaftNode Raft(SimulatedNode node) => node.Node!.Parts.Replica.Shards[0].Raft;

    private static void Spoil(SimulatedCluster cluster, SimulatedNode victim)
    {
        cluster.Crash(victim, CrashMode.ProcessDeath);
        long length = victim.Disk.ReadAll(CheckpointPath).Length;
        for (long offset = 8192; offset < length; offset += 4096) victim.Disk.FlipBit(CheckpointPath, offset + 100, 3);
        using IDiskFile mark = victim.Disk.Open("/data/shard-0/damaged", create: true);
        mark.DataSync();
        victim.Disk.SyncDirectory("/data/shard-0");
    }

    private static void Load(SimulatedCluster cluster, int jobs)
    {
        string big = $"\"{new string('x', 200_000)}\"";
        for (int i = 0; i < jobs; i++)
        {
            cluster.Enqueue(cluster.AwaitLeader(), "work", big);
            cluster.RunFor(300);
        }
    }
}
