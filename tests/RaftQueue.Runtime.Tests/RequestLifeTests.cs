using RaftQueue.Jobs;
using RaftQueue.Primitives;
using RaftQueue.Simulation;
using RaftQueue.TestKit;

namespace RaftQueue.Runtime.Tests;

/// <summary>Requests at the moments when something about them changes: a new leader, a limit, a stop, a caller that goes.</summary>
public sealed class RequestLifeTests
{
    [Fact]
    public void WhatANewLeaderStampsFirstIsNotEarly()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 51);
        cluster.StartAll();
        cluster.Enqueue(cluster.AwaitLeader(), "other", "0");
        cluster.RunFor(200);
        foreach (SimulatedNode node in cluster.Nodes) cluster.Crash(node, CrashMode.ProcessDeath);
        cluster.RunFor(3_600_000);
        cluster.StartAll();

        // Whenever something was delivered, so that some request reaches the new leader together with the vote that made it one.
        long begun = cluster.Clock.MonotonicMicroseconds;
        long seen = 0;
        long submitted = 0;
        var enqueued = new List<Task<CommandOutcome>>();
        cluster.RunUntil(
            () =>
            {
                long now = cluster.Clock.MonotonicMicroseconds;
                if (now == seen && submitted != now)
                {
                    submitted = now;
                    foreach (SimulatedNode node in cluster.Nodes)
                    {
                        enqueued.Add(cluster.EnqueueAsync(node, "work", "1", delayMs: 600_000).AsTask());
                    }
                }

                seen = now;
                return cluster.Leader() is not null;
            },
            "a leader");
        cluster.RunUntil(() => enqueued.TrueForAll(task => task.IsCompleted), "all are answered");
        Assert.True(cluster.Clock.MonotonicMicroseconds - begun < 300_000_000, "long before the first is due");
        CommandOutcome lease = cluster.Await(cluster.LeaseAsync(cluster.AwaitLeader(), "work", 1, waitMs: 100), "a lease");
        Assert.Equal((OutcomeKind.Applied, ResultCode.Empty), (lease.Kind, lease.Code));
    }

    [Fact]
    public void ALeaderWithNoRoomForOthersNewWorkStillTakesWhatFinishesTheirs()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 57);
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        NodeId other = cluster.Nodes.Find(node => node != leader)!.Id;
        Proposals proposals = leader.Node!.Parts.Replica.Shards[0].Proposals;
        // The replica loop does not run in between: nothing leaves.
        proposals.AddForwarded(other, Forwarded(CommandType.Enqueue, Proposals.MaxWaitingCommands + 1));
        int full = proposals.Count;
        proposals.AddForwarded(other, Forwarded(CommandType.Enqueue, 1));
        Assert.Equal(full, proposals.Count);
        foreach (CommandType finishing in new[] { CommandType.Ack, CommandType.Nack, CommandType.Extend, CommandType.Cancel })
        {
            proposals.AddForwarded(other, Forwarded(finishing, 1));
            Assert.Equal(++full, proposals.Count);
        }

        proposals.AddForwarded(other, Forwarded(CommandType.Ack, 2 * Proposals.MaxWaitingCommands));
        full = proposals.Count;
        proposals.AddForwarded(other, Forwarded(CommandType.Ack, 1));
        Assert.Equal(full, proposals.Count);
    }

    /// <summary>Commands as a follower sends them, with a body that is refused when it is applied.</summary>
    private static byte[] Forwarded(CommandType type, int count)
    {
        byte[] frames = new byte[count * CommandFrame.HeaderSize];
        for (int i = 0; i < count; i++)
            CommandFrame.WriteHeader(frames.AsSpan(i * CommandFrame.HeaderSize), (ushort)type, new Incarnation(9), (ulong)i + 1, 0);
        return frames;
    }

    [Fact]
    public void WhatWasAnsweredAsNotAppliedIsNeverApplied()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 52);
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        SimulatedNode follower = cluster.Nodes.Find(node => node != leader)!;
        var refused = new HashSet<string>();
        for (int i = 0; i < 60; i++)
        {
            cluster.Network.Isolate(follower.Id);
            cluster.RunFor(1_000);
            Task<CommandOutcome> enqueued = cluster.EnqueueAsync(follower, "work", $"{i}").AsTask();
            cluster.RunFor(2_850 + (5 * i));
            cluster.Network.Heal();
            cluster.RunUntil(() => enqueued.IsCompleted, "an answer");
            if (cluster.Await(new ValueTask<CommandOutcome>(enqueued), "it").Kind == OutcomeKind.NotApplied) refused.Add($"{i}");
            cluster.RunFor(500);
        }

        Assert.NotEmpty(refused);
        while (true)
        {
            CommandOutcome lease = cluster.Await(cluster.LeaseAsync(cluster.AwaitLeader(), "work", 100, waitMs: 0), "a lease");
            var grants = TestCommands.Grants(lease);
            if (grants.Count == 0) break;
            foreach ((_, _, string payload) in grants) Assert.DoesNotContain(payload, refused);
        }
    }

    [Fact]
    public void CallersThatGoLeaveNoRequestBehind()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 53, options => options with { MaxPendingRequests = 8 });
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        foreach (SimulatedNode node in cluster.Nodes)
        {
            for (int i = 0; i < 20; i++)
            {
                using var gone = new CancellationTokenSource();
                Task<CommandOutcome> waiting = cluster.LeaseAsync(node, "work", 1, waitMs: 30_000, gone: gone.Token).AsTask();
                cluster.RunFor(20);
                gone.Cancel();
                cluster.RunFor(20);
                Assert.True(waiting.IsCompleted, $"request {i} of node {node.Id} is over");
            }

            Assert.Equal(ResultCode.Ok, cluster.Enqueue(node, "other", "1").Code);
        }
    }

    [Fact]
    public void AJobDoesNotGoToANodeThatIsGone()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 54);
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        SimulatedNode follower = cluster.Nodes.Find(node => node != leader)!;
        Task<CommandOutcome> lost = cluster.LeaseAsync(follower, "work", 1, waitMs: 60_000).AsTask();
        cluster.RunFor(500);
        Assert.False(lost.IsCompleted);
        cluster.Crash(follower, CrashMode.ProcessDeath);
        cluster.RunFor(100);
        cluster.Enqueue(leader, "work", "1");
        CommandOutcome lease = cluster.Await(cluster.LeaseAsync(leader, "work", 1, waitMs: 0), "a lease");
        Assert.Equal("1", Assert.Single(TestCommands.Grants(lease)).Payload);
    }

    [Theory]
    [InlineData(ReadConsistency.Stale)]
    [InlineData(ReadConsistency.Linearizable)]
    public void AReadIsAnsweredWhenItsNodeStops(ReadConsistency consistency)
    {
        for (ulong seed = 60; seed < 70; seed++)
        {
            var cluster = new SimulatedCluster(3, 1, seed);
            cluster.StartAll();
            SimulatedNode leader = cluster.AwaitLeader();
            SimulatedNode node = cluster.Nodes.Find(each => each != leader)!;
            var reads = new List<Task<ReadOutcome>>();
            Task stop = node.Node!.StopAsync(TimeSpan.Zero);
            for (int i = 0; i < 200 && !stop.IsCompleted; i++)
            {
                reads.Add(node.Node.ReadAsync(new ShardId(0), consistency, 0, static (_, _, _) => false).AsTask());
                cluster.RunFor(1);
            }

            Assert.True(stop.IsCompleted, "the node stopped");
            cluster.RunFor(10);
            Assert.All(reads, read => Assert.True(read.IsCompleted));
        }
    }
}
