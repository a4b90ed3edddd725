using RaftQueue.Jobs;
using RaftQueue.Primitives;
using RaftQueue.Simulation;
using RaftQueue.TestKit;

namespace RaftQueue.Runtime.Tests;

public sealed class ClusterTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 1)]
    [InlineData(3, 3)]
    [InlineData(5, 1)]
    public void ANewClusterTakesJobsThroughEveryNode(int nodes, int shards)
    {
        var cluster = new SimulatedCluster(nodes, shards, seed: 11);
        cluster.StartAll();
        for (int i = 0; i < 20; i++)
        {
            CommandOutcome outcome = cluster.Enqueue(cluster.Nodes[i % nodes], $"queue-{i}", $"{i}");
            Assert.Equal((OutcomeKind.Applied, ResultCode.Ok), (outcome.Kind, outcome.Code));
        }

        for (int shard = 0; shard < shards; shard++) cluster.AwaitSameState(shard);
    }

    [Fact]
    public void ADiskThatIsFullWhenTheClusterBeginsStopsNobody()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 22);
        cluster.StartAll();
        foreach (SimulatedNode node in cluster.Nodes) node.Disk.CapacityBytes = node.Disk.UsedBytes;
        cluster.RunFor(5_000);
        Assert.Null(cluster.Leader());
        foreach (SimulatedNode node in cluster.Nodes) node.Disk.CapacityBytes = null;
        // Until the log has tried again and found room, new work is refused.
        CommandOutcome outcome = cluster.Enqueue(cluster.AwaitLeader(), "work", "1");
        for (int waited = 0; outcome.Kind == OutcomeKind.NotApplied && waited < 50; waited++)
        {
            cluster.RunFor(100);
            outcome = cluster.Enqueue(cluster.AwaitLeader(), "work", "1");
        }

        Assert.Equal(OutcomeKind.Applied, outcome.Kind);
    }

    [Theory]
    [InlineData(CrashMode.ProcessDeath)]
    [InlineData(CrashMode.PowerLoss)]
    public void NodesStartOnDisksWithoutOneFreeBlockAndFinishWhatWasLeased(CrashMode mode)
    {
        var cluster = new SimulatedCluster(3, 1, seed: 23);
        cluster.StartAll();
        for (int i = 0; i < 6; i++) cluster.Enqueue(cluster.AwaitLeader(), "work", $"{i}");
        CommandOutcome lease = cluster.Await(cluster.LeaseAsync(cluster.AwaitLeader(), "work", 6, waitMs: 0, leaseMs: 3_600_000), "a lease");
        List<(JobId Job, ulong Fence, string Payload)> grants = TestCommands.Grants(lease);
        cluster.AwaitSameState();
        foreach (SimulatedNode node in cluster.Nodes) node.Disk.CapacityBytes = 0;
        foreach ((JobId job, ulong fence, _) in grants)
        {
            foreach (SimulatedNode node in cluster.Nodes) cluster.Crash(node, mode);
            cluster.StartAll();
            ValueTask<CommandOutcome> ack =
                cluster.AwaitLeader().Node!.SubmitAsync(job.Shard, CommandType.Ack, TestCommands.Ack(job, fence), finishing: true);
            Assert.Equal(TokenStatus.Ok, TestCommands.Status(cluster.Await(ack, "an ack on a full disk")));
        }

        foreach (SimulatedNode node in cluster.Nodes) node.Disk.CapacityBytes = null;
        cluster.RunFor(2_000);
        Assert.Equal(OutcomeKind.Applied, cluster.Enqueue(cluster.AwaitLeader(), "work", "room").Kind);
        cluster.AwaitSameState();
    }

    [Theory]
    [InlineData(CrashMode.ProcessDeath)]
    [InlineData(CrashMode.PowerLoss)]
    public void NothingAcknowledgedIsLostWhenTheLeaderDiesAgainAndAgain(CrashMode mode)
    {
        var cluster = new SimulatedCluster(3, 1, seed: 12);
        cluster.StartAll();
        int enqueued = 0;
        for (int round = 0; round < 6; round++)
        {
            SimulatedNode leader = cluster.AwaitLeader();
            for (int i = 0; i < 5; i++) cluster.Enqueue(leader, "work", $"{enqueued++}");
            cluster.Crash(leader, mode);
            cluster.Enqueue(cluster.AwaitLeader(), "work", $"{enqueued++}");
            cluster.Start(leader);
        }

        cluster.AwaitSameState();
        Assert.Equal(Enumerable.Range(0, enqueued).Select(i => $"{i}"), Drain(cluster, "work").Order(Comparer<string>.Create((a, b) => int.Parse(a) - int.Parse(b))));
    }

    [Theory]
    [InlineData(CrashMode.ProcessDeath, 1)]
    [InlineData(CrashMode.PowerLoss, 1)]
    [InlineData(CrashMode.PowerLoss, 3)]
    public void NothingAcknowledgedIsLostWhenAllDieTogether(CrashMode mode, int shards)
    {
        var cluster = new SimulatedCluster(3, shards, seed: 13);
        cluster.StartAll();
        for (int i = 0; i < 30; i++) cluster.Enqueue(cluster[1 + (i % 3)], "work", $"{i}");
        foreach (SimulatedNode node in cluster.Nodes) cluster.Crash(node, mode);
        cluster.StartAll();
        Assert.Equal(30, Drain(cluster, "work").Count);
    }

    [Fact]
    public void AWipedNodeIsSwappedInAndCatchesUp()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 14);
        cluster.StartAll();
        for (int i = 0; i < 10; i++) cluster.Enqueue(cluster[1], "work", $"{i}");
        SimulatedNode victim = cluster.Nodes.Find(node => node != cluster.AwaitLeader())!;
        Incarnation before = victim.Node!.Status().Incarnation;
        cluster.Crash(victim, CrashMode.PowerLoss);
        cluster.Wipe(victim);
        cluster.Start(victim);
        Assert.NotEqual(before, victim.Node!.Status().Incarnation);
        cluster.RunUntil(
            () => victim.Node!.IsReady && victim.Node.Status().Shards[0].Members.Count(member => member.IsVoter) == 3
                && victim.Node.Status().Shards[0].AppliedIndex == cluster.AwaitLeader().Node!.Status().Shards[0].LastIndex,
            "the wiped node is a voter again");
        cluster.AwaitSameState();

        // It counts again: the other follower may go.
        SimulatedNode other = cluster.Nodes.Find(node => node != victim && node != cluster.AwaitLeader())!;
        cluster.Crash(other, CrashMode.ProcessDeath);
        Assert.Equal(OutcomeKind.Applied, cluster.Enqueue(cluster.AwaitLeader(), "work", "last").Kind);
    }

    [Fact]
    public void AWipedNodeIsSwappedInByEveryShardThoughItStartsAgainMeanwhile()
    {
        var cluster = new SimulatedCluster(3, 3, seed: 21);
        cluster.StartAll();
        cluster.RunUntil(() => cluster.Leader(0) == cluster[1] && cluster.Leader(1) == cluster[2], "leaders are spread", 60_000);
        SimulatedNode victim = cluster[3];
        cluster.Crash(victim, CrashMode.PowerLoss);
        cluster.Wipe(victim);

        // Only the leader of shard 0 reaches it before it starts again.
        cluster.Network.Cut(cluster[2].Id, victim.Id);
        cluster.Start(victim);
        cluster.RunUntil(() => victim.Node!.Parts.Replica.Shards[0].Raft.LastIndex > LogIndex.Zero, "shard 0 has begun there");
        Assert.Equal(LogIndex.Zero, victim.Node!.Parts.Replica.Shards[1].Raft.LastIndex);
        cluster.Crash(victim, CrashMode.ProcessDeath);
        cluster.Network.Heal();
        cluster.Start(victim);
        cluster.RunUntil(
            () => victim.Node!.Parts.Replica.Shards.All(shard =>
                shard.Raft.Membership is { IsJoint: false } membership
                && membership.IsVoter(victim.Id)
                && membership.Names(victim.Id, victim.Node.Parts.Shared.Incarnation)),
            "it is a voter of every shard");
    }

    [Fact]
    public void AWipedNodeIsSwappedInThoughTheEntryThatNamedItWasLost()
    {
        var cluster = new SimulatedCluster(5, 1, seed: 41);
        cluster.StartAll();
        SimulatedNode first = cluster.AwaitLeader();
        for (int i = 0; i < 5; i++) cluster.Enqueue(first, "work", $"{i}");
        SimulatedNode wiped = cluster.Nodes.Find(node => node != first)!;
        List<SimulatedNode> others = cluster.Nodes.FindAll(node => node != first && node != wiped);
        cluster.Crash(wiped, CrashMode.PowerLoss);
        cluster.Wipe(wiped);
        foreach (SimulatedNode other in others)
        {
            cluster.Network.Cut(first.Id, other.Id);
            cluster.Network.Cut(wiped.Id, other.Id);
            cluster.Network.Cut(other.Id, wiped.Id);
        }

        // The old leader names the wiped node in an entry that only the two of them hold, and that the others will never have.
        cluster.Start(wiped);
        cluster.RunUntil(() => wiped.Node!.Status().Shards[0].LastIndex.Value > 0, "the old leader's entries reach the wiped node");
        cluster.Crash(first, CrashMode.ProcessDeath);
        cluster.Wipe(first);
        cluster.Crash(wiped, CrashMode.ProcessDeath);
        cluster.Network.Heal();
        cluster.Start(wiped);
        cluster.RunUntil(
            () => wiped.Node!.IsReady && wiped.Node.Status().Shards[0].Members.Any(member => member.Id == wiped.Id && member.IsVoter)
                && wiped.Node.Status().Shards[0].AppliedIndex == cluster.AwaitLeader().Node!.Status().Shards[0].LastIndex,
            "the wiped node is a voter again");
        Assert.Equal(OutcomeKind.Applied, cluster.Enqueue(wiped, "work", "last").Kind);
    }

    [Fact]
    public void AFollowerFarBehindGetsACheckpointAndThenTheLog()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 15, options => options with { CheckpointLogMiB = 1 });
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        SimulatedNode behind = cluster.Nodes.Find(node => node != leader)!;
        cluster.Enqueue(leader, "work", "\"first\"");
        cluster.Crash(behind, CrashMode.ProcessDeath);
        string big = $"\"{new string('x', 200_000)}\"";
        for (int i = 0; i < 40; i++)
        {
            cluster.Enqueue(leader, "work", big);
            cluster.RunFor(300);
        }

        cluster.Start(behind);
        cluster.RunUntil(() => behind.Node!.IsReady, "the follower is back");
        cluster.AwaitSameState();
        Assert.Contains("installed", cluster.History, StringComparison.Ordinal);

        // And it starts again from what it fetched.
        cluster.Crash(behind, CrashMode.PowerLoss);
        cluster.Start(behind);
        cluster.RunUntil(() => behind.Node!.IsReady, "the follower is back again");
        cluster.AwaitSameState();
    }

    [Fact]
    public void ANodeWithADamagedCheckpointIsRepairedByAPeer()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 16, options => options with { CheckpointLogMiB = 1 });
        cluster.StartAll();
        string big = $"\"{new string('x', 200_000)}\"";
        for (int i = 0; i < 40; i++)
        {
            cluster.Enqueue(cluster.AwaitLeader(), "work", big);
            cluster.RunFor(300);
        }

        SimulatedNode victim = cluster.Nodes.Find(node => node != cluster.AwaitLeader())!;
        cluster.Crash(victim, CrashMode.ProcessDeath);
        const string path = "/data/shard-0/checkpoint";
        long length = victim.Disk.ReadAll(path).Length;
        for (long offset = 8192; offset < length; offset += 4096) victim.Disk.FlipBit(path, offset + 100, 3);
        cluster.Start(victim);
        cluster.RunUntil(() => victim.Node!.IsReady, "the damaged node is repaired");
        cluster.AwaitSameState();
    }

    [Fact]
    public void WithoutAMajorityARequestIsDefinitelyRefused()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 17);
        cluster.StartAll();
        cluster.AwaitLeader();
        cluster.Crash(cluster[1], CrashMode.ProcessDeath);
        cluster.Crash(cluster[2], CrashMode.ProcessDeath);
        cluster.RunFor(2_000);
        CommandOutcome outcome = cluster.Enqueue(cluster[3], "work", "1");
        Assert.Equal((OutcomeKind.NotApplied, NotAppliedReason.NoLeader), (outcome.Kind, outcome.Reason));
        ReadOutcome read = cluster.Await(
            cluster[3].Node!.ReadAsync(new ShardId(0), ReadConsistency.Linearizable, 0, (_, _, _) => true), "a read");
        Assert.False(read.Decided);
    }

    [Fact]
    public void WhatAnIsolatedLeaderTookIsUnknownAndNeverAppliedTwice()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 18);
        cluster.StartAll();
        SimulatedNode old = cluster.AwaitLeader();
        cluster.Enqueue(old, "work", "0");
        cluster.Network.Isolate(old.Id);
        ValueTask<CommandOutcome> pending = cluster.EnqueueAsync(old, "work", "1");
        CommandOutcome outcome = cluster.Await(pending, "the isolated leader's answer");
        Assert.Equal(OutcomeKind.Unknown, outcome.Kind);
        SimulatedNode next = cluster.AwaitLeader();
        Assert.NotEqual(old, next);
        cluster.Enqueue(next, "work", "2");
        cluster.Network.Heal();
        cluster.AwaitSameState();
        Assert.Equal(["0", "2"], Drain(cluster, "work"));
    }

    [Fact]
    public void ARequestThatMeetsAnElectionIsCarriedToTheNewLeaderOnce()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 19);
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        SimulatedNode follower = cluster.Nodes.Find(node => node != leader)!;
        for (int i = 0; i < 20; i++)
        {
            leader = cluster.AwaitLeader();
            follower = cluster.Nodes.Find(node => node != leader && node.IsRunning)!;
            ValueTask<CommandOutcome> pending = cluster.EnqueueAsync(follower, "work", $"{i}");
            cluster.RunFor(i % 5);
            cluster.Crash(leader, CrashMode.ProcessDeath);
            Assert.Equal(OutcomeKind.Applied, cluster.Await(pending, "the follower's request").Kind);
            cluster.Start(leader);
        }

        cluster.AwaitSameState();
        Assert.Equal(20, Drain(cluster, "work").Count);
    }

    [Fact]
    public void AGracefulStopHandsOverBeforeItEnds()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 20);
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        cluster.Enqueue(leader, "work", "0");
        Task stopping = leader.Node!.StopAsync(TimeSpan.FromSeconds(5));
        long begun = cluster.Clock.MonotonicMicroseconds;
        cluster.RunUntil(() => stopping.IsCompleted, "the leader stopped");
        Assert.True(cluster.Clock.MonotonicMicroseconds - begun < 300_000, "it did not wait for an election timeout");
        leader.Node = null;
        leader.Loops = null;
        Assert.Equal(OutcomeKind.Applied, cluster.Enqueue(cluster.AwaitLeader(), "work", "1").Kind);
    }

    private static List<string> Drain(SimulatedCluster cluster, string queue)
    {
        var payloads = new List<string>();
        while (true)
        {
            CommandOutcome outcome = cluster.Await(cluster.LeaseAsync(cluster.AwaitLeader(), queue, 100, waitMs: 0), "a lease");
            Assert.Equal(OutcomeKind.Applied, outcome.Kind);
            List<(JobId Job, ulong Fence, string Payload)> grants = TestCommands.Grants(outcome);
            if (grants.Count == 0) return payloads;
            foreach ((JobId job, ulong fence, string payload) in grants)
            {
                payloads.Add(payload);
                cluster.Await(
                    cluster.AwaitLeader().Node!.SubmitAsync(job.Shard, CommandType.Ack, TestCommands.Ack(job, fence), finishing: true),
                    "an ack");
            }
        }
    }

    [Fact]
    public void NoNodeSaysThatItAppliedWhatIsNotCommitted()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 24);
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        int looked = 0;
        cluster.AfterStep = () =>
        {
            foreach (SimulatedNode node in cluster.Nodes)
            {
                ShardStatus shard = node.Node!.Status().Shards[0];
                Assert.True(shard.AppliedIndex <= shard.CommitIndex, $"applied {shard.AppliedIndex}, committed {shard.CommitIndex}");
                Assert.True(shard.CommitIndex <= shard.LastIndex, $"committed {shard.CommitIndex}, the log ends at {shard.LastIndex}");
                looked++;
            }
        };
        for (int i = 0; i < 20; i++) cluster.Enqueue(leader, "work", $"{i}");
        Assert.True(looked > 100);
    }
}
