using System.Buffers.Binary;
using RaftQueue.Consensus;
using RaftQueue.Jobs;
using RaftQueue.Primitives;
using RaftQueue.Simulation;
using RaftQueue.TestKit;
using RaftQueue.Transport;

namespace RaftQueue.Runtime.Tests;

/// <summary>What a node notices about itself: a state that is not the others', a disk that hangs.</summary>
public sealed class WatchTests
{
    private const string RepairMark = "/data/shard-0/repair";

    [Fact]
    public async Task ANodeWhoseStateAMajorityContradictsStopsAndComesBackWithTheirs()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 91, options => options with { CheckpointLogMiB = 1 });
        SimulatedNode victim = Started(cluster);
        Contradict(cluster, victim, [.. Others(cluster, victim).Select(node => (node, 1UL))]);
        StateDivergedException stopped = Assert.Throws<StateDivergedException>(() => cluster.RunFor(3_000));
        Assert.Contains("a majority of the voters has another", stopped.Message, StringComparison.Ordinal);
        Assert.Same(stopped, await victim.Node!.Completion);
        Assert.True(victim.Disk.FileExists(RepairMark));

        cluster.AfterStep = null;
        cluster.Crash(victim, CrashMode.ProcessDeath);
        cluster.Start(victim);
        cluster.RunUntil(() => victim.Node!.IsReady, "it is back");
        cluster.AwaitSameState();

        // Until there is a checkpoint again.
        string big = $"\"{new string('x', 150_000)}\"";
        for (int i = 0; i < 12; i++) cluster.Enqueue(victim, "work", big);
        cluster.RunUntil(() => !victim.Disk.FileExists(RepairMark), "the next checkpoint is its own");
        cluster.AwaitSameState();
    }

    [Fact]
    public void WhereNoMajorityAgreesTheNodeStopsAndKeepsItsState()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 92);
        SimulatedNode victim = Started(cluster);
        Contradict(cluster, victim, [.. Others(cluster, victim).Select((node, number) => (node, (ulong)number + 1))]);
        StateDivergedException stopped = Assert.Throws<StateDivergedException>(() => cluster.RunFor(3_000));
        Assert.Contains("no majority of the voters agrees on any", stopped.Message, StringComparison.Ordinal);
        Assert.False(victim.Disk.FileExists(RepairMark));
    }

    [Fact]
    public void OneOtherOpinionIsNotAMajority()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 93);
        SimulatedNode victim = Started(cluster);
        Func<int> told = Contradict(cluster, victim, (Others(cluster, victim)[0], 1));
        cluster.RunFor(5_000);
        Assert.InRange(told(), 3, 10);
        Assert.False(victim.Node!.Completion.IsCompleted);
    }

    [Fact]
    public void ALeaderWhoseLogHangsMakesWayForAnother()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 94);
        cluster.StartAll();
        SimulatedNode hung = cluster.AwaitLeader();
        cluster.Enqueue(hung, "work", "1");
        hung.Loops!.Hold("log", cluster.Clock.MonotonicMicroseconds + 20_000_000);
        SimulatedNode other = Others(cluster, hung)[0];
        _ = cluster.EnqueueAsync(other, "work", "2").AsTask();
        cluster.RunUntil(() => cluster.Leader() is { } leader && leader != hung, "another leads", 2_000);
        CommandOutcome outcome = cluster.Enqueue(other, "work", "3");
        Assert.Equal((OutcomeKind.Applied, ResultCode.Ok), (outcome.Kind, outcome.Code));
        Assert.Equal("its log's disk hangs", hung.Node!.Parts.Replica.Shards[0].Raft.LastStepDownReason);
    }

    /// <summary>As where all stand on one disk: nobody would lead better, and an election would only interrupt.</summary>
    [Fact]
    public void ALeaderStaysWhileTheLogsOfAllHangAndGoesOnceOthersStoreAgain()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 97);
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        cluster.Enqueue(leader, "work", "1");
        ShardReplica replica = leader.Node!.Parts.Replica.Shards[0];
        Term term = replica.Raft.Term;
        long now = cluster.Clock.MonotonicMicroseconds;
        foreach (SimulatedNode node in cluster.Nodes) node.Loops!.Hold("log", now + (node == leader ? 20_000_000 : 3_000_000));
        _ = cluster.EnqueueAsync(leader, "work", "2").AsTask();
        cluster.RunFor(2_900);
        Assert.Equal((Role.Leader, term, null), (replica.Raft.Role, replica.Raft.Term, replica.Raft.LastStepDownReason));
        cluster.RunUntil(() => cluster.Leader() is { } next && next != leader, "another leads", 2_000);
        Assert.Equal("its log's disk hangs", replica.Raft.LastStepDownReason);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ALeaderGoesWhenItsApplyStandsStillAndNotWhenItIsLong(bool movesOn)
    {
        var cluster = new SimulatedCluster(3, 1, seed: 95);
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        cluster.Enqueue(leader, "work", "1");
        (JobId job, _, _) = Assert.Single(TestCommands.Grants(cluster.Await(cluster.LeaseAsync(leader, "work", 1, waitMs: 0), "a job")));
        ShardReplica replica = leader.Node!.Parts.Replica.Shards[0];
        JobStore store = replica.Apply.Store;
        Term term = replica.Raft.Term;
        leader.Loops!.Hold("apply", cluster.Clock.MonotonicMicroseconds + 20_000_000);
        for (int i = 0; i < 20; i++)
        {
            cluster.RunFor(100);
            long before = store.Headway;
            if (movesOn) store.IsFinished(job, out _);
            Assert.Equal(movesOn, store.Headway != before);
        }

        Assert.Equal(movesOn, replica.Raft.Role == Role.Leader && replica.Raft.Term == term);
        Assert.Equal(movesOn ? null : "its apply loop is stuck", replica.Raft.LastStepDownReason);
    }

    /// <summary>A process that was stopped finds its apply loop where it was: nothing is known of a time in which nobody looked.</summary>
    [Fact]
    public void ANodeThatGotNoTimeDoesNotTakeItsApplyForStuck()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 98);
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        var watch = new ApplyWatch(leader.Node!.Parts.Shared);
        ShardReplica[] shards = [.. leader.Node.Parts.Replica.Shards];
        leader.Node.Parts.Shared.ApplyBusySinceMicroseconds = 1_000_000;
        watch.Sweep(shards, 1_010_000);
        watch.Sweep(shards, 1_035_000);
        watch.Sweep(shards, 6_000_000);
        Assert.InRange(6_000_000 - watch.StuckSinceMicroseconds, 100_000, 150_000);
        watch.Sweep(shards, 6_025_000);
        Assert.InRange(6_025_000 - watch.StuckSinceMicroseconds, 125_000, 175_000);
    }

    /// <summary>All shards of a node share one apply loop: where it hangs in one of them, the others stand still as well.</summary>
    [Fact]
    public void AnApplyThatHangsInOneShardEndsTheLeadOfAll()
    {
        var cluster = new SimulatedCluster(3, 3, seed: 96);
        cluster.StartAll();
        for (int shard = 0; shard < 3; shard++) cluster.AwaitLeader(shard);
        SimulatedNode hung = cluster.AwaitLeader(1);
        hung.Loops!.Hold("apply", cluster.Clock.MonotonicMicroseconds + 5_000_000);
        for (int shard = 0; shard < 3; shard++)
        {
            int present = shard;
            cluster.RunUntil(() => cluster.Leader(present) is { } leader && leader != hung, $"another leads shard {present}", 2_000);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void ANodeWhoseApplyHangsIsNotElected(int which)
    {
        for (ulong seed = 1; seed <= 5; seed++)
        {
            var cluster = new SimulatedCluster(3, 1, seed);
            cluster.StartAll();
            SimulatedNode leader = cluster.AwaitLeader();
            List<SimulatedNode> others = Others(cluster, leader);
            others[which].Loops!.Hold("apply", cluster.Clock.MonotonicMicroseconds + 20_000_000);
            cluster.RunFor(400);
            cluster.Crash(leader, TestKit.CrashMode.ProcessDeath);
            cluster.RunUntil(() => others[1 - which].Node!.Parts.Replica.Shards[0].Raft.Role == Role.Leader, "the other one leads", 2_000);
            Assert.Equal(new Term(2), others[1 - which].Node!.Parts.Replica.Shards[0].Raft.Term);
        }
    }

    private static SimulatedNode Started(SimulatedCluster cluster)
    {
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        for (int i = 0; i < 10; i++) cluster.Enqueue(leader, "work", $"{i}");
        cluster.AwaitSameState();
        return Others(cluster, leader)[0];
    }

    private static List<SimulatedNode> Others(SimulatedCluster cluster, SimulatedNode node) => cluster.Nodes.FindAll(each => each != node);

    /// <summary>
    /// When the victim asks what the state hash is at an index, the others say something else than it has, before their own answers
    /// come. Gives how often that was done.
    /// </summary>
    private static Func<int> Contradict(SimulatedCluster cluster, SimulatedNode victim, params (SimulatedNode Node, ulong Change)[] answers)
    {
        byte[]? asked = null;
        int told = 0;
        cluster.Network.Sent = (from, _, kind, _, payload) =>
        {
            if (from == victim.Id && kind == FrameKind.Forward && payload[0] == (byte)ForwardKind.HashWitness) asked = payload.ToArray();
        };
        cluster.AfterStep = () =>
        {
            if (asked is null) return;
            var peer = (SimulatedPeer)victim.Node!.Parts.Shared.Network;
            foreach ((SimulatedNode node, ulong change) in answers)
            {
                byte[] reply = [.. asked];
                reply[0] = (byte)ForwardKind.HashReply;
                Span<byte> hash = reply.AsSpan(1 + sizeof(ulong));
                BinaryPrimitives.WriteUInt64LittleEndian(hash, BinaryPrimitives.ReadUInt64LittleEndian(hash) ^ change);
                peer.Handler!.Received(node.Id, FrameKind.Forward, new ShardId(0), reply);
                told++;
            }

            asked = null;
        };
        return () => told;
    }
}
