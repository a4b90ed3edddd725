using RaftQueue.Jobs;
using RaftQueue.Primitives;
using RaftQueue.Simulation;
using RaftQueue.TestKit;

namespace RaftQueue.Runtime.Tests;

public sealed class LongPollTests
{
    [Fact]
    public void AWaitingLeaseWritesNothingAndWakesAtOnce()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 31);
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        SimulatedNode follower = cluster.Nodes.Find(node => node != leader)!;
        cluster.Enqueue(leader, "other", "0");
        cluster.RunFor(500);
        LogIndex before = leader.Node!.Status().Shards[0].LastIndex;
        Task<CommandOutcome> waiting = cluster.LeaseAsync(follower, "work", 1, waitMs: 20_000).AsTask();
        cluster.RunFor(5_000);
        Assert.False(waiting.IsCompleted);
        Assert.Equal(before, leader.Node.Status().Shards[0].LastIndex);
        cluster.Enqueue(leader, "work", "1");
        long woken = cluster.Clock.MonotonicMicroseconds;
        cluster.RunUntil(() => waiting.IsCompleted, "the lease is granted");
        Assert.True(cluster.Clock.MonotonicMicroseconds - woken < 10_000, "within a few network trips");
        Assert.Equal("1", Assert.Single(TestCommands.Grants(cluster.Await(new ValueTask<CommandOutcome>(waiting), "the grant"))).Payload);
    }

    [Fact]
    public void AnEmptyAnswerComesWhenTheWaitIsOver()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 32);
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        foreach (SimulatedNode node in cluster.Nodes)
        {
            long begun = cluster.Clock.MonotonicMicroseconds;
            CommandOutcome outcome = cluster.Await(cluster.LeaseAsync(node, "work", 1, waitMs: 700), "an empty answer");
            Assert.Equal((OutcomeKind.Applied, ResultCode.Empty), (outcome.Kind, outcome.Code));
            Assert.InRange(cluster.Clock.MonotonicMicroseconds - begun, 699_000, 900_000);
        }
    }

    [Fact]
    public void AWaitGoesOnAtTheNextLeader()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 33);
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        SimulatedNode follower = cluster.Nodes.Find(node => node != leader)!;
        Task<CommandOutcome> waiting = cluster.LeaseAsync(follower, "work", 1, waitMs: 20_000).AsTask();
        cluster.RunFor(1_000);
        cluster.Crash(leader, CrashMode.ProcessDeath);
        cluster.Enqueue(cluster.AwaitLeader(), "work", "1");
        cluster.RunUntil(() => waiting.IsCompleted, "the lease is granted by the new leader");
        Assert.Single(TestCommands.Grants(cluster.Await(new ValueTask<CommandOutcome>(waiting), "the grant")));
    }

    [Fact]
    public void WaitersAreServedInOrderOfArrival()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 34);
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        var waiting = new List<Task<CommandOutcome>>();
        for (int i = 0; i < 5; i++)
        {
            waiting.Add(cluster.LeaseAsync(leader, "work", 1, waitMs: 60_000).AsTask());
            cluster.RunFor(20);
        }

        for (int i = 0; i < 5; i++)
        {
            cluster.Enqueue(leader, "work", $"{i}");
            cluster.RunFor(100);
            Assert.Equal(i + 1, waiting.Count(task => task.IsCompleted));
            Assert.True(waiting[i].IsCompleted, $"waiter {i} is served by job {i}");
        }
    }

    [Fact]
    public void RequestsThatPullAheadDoNotWaitForEachOther()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 38);
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        for (int i = 0; i < 25; i++) cluster.Await(cluster.EnqueueAsync(leader, "work", $"{i}", delayMs: 60_000 + i), "a scheduled job");
        cluster.RunFor(100);
        LogIndex before = leader.Node!.Status().Shards[0].LastIndex;
        List<Task<CommandOutcome>> asking = [.. Enumerable.Range(0, 10).Select(_ =>
            cluster.LeaseAsync(leader, "work", 5, waitMs: 60_000, pullAheadMs: 120_000).AsTask())];
        cluster.RunUntil(() => asking.Count(task => task.IsCompleted) == 5, "as many requests as there are jobs for are granted");
        cluster.RunFor(100);
        Assert.InRange(leader.Node.Status().Shards[0].LastIndex.Value - before.Value, 1, 3);
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(
                Enumerable.Range(5 * i, 5).Select(job => $"{job}"),
                TestCommands.Grants(cluster.Await(new ValueTask<CommandOutcome>(asking[i]), "a grant")).Select(grant => grant.Payload));
        }

        LogIndex after = leader.Node.Status().Shards[0].LastIndex;
        cluster.RunFor(2_000);
        Assert.Equal(after, leader.Node.Status().Shards[0].LastIndex);
        Assert.Equal(5, asking.Count(task => task.IsCompleted));
    }

    [Fact]
    public void WhatARequestLeavesGoesToTheNextThatPullsAheadAtOnce()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 39);
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        for (int i = 0; i < 4; i++) cluster.Await(cluster.EnqueueAsync(leader, "work", $"{i}", delayMs: 60_000 + (10_000 * i)), "a scheduled job");
        byte[] near = TestCommands.Lease("work"u8, 1_000, 60_000, pullAheadMs: 61_000);
        byte[] far = TestCommands.Lease("work"u8, 1_000, 60_000, pullAheadMs: 120_000);
        Task<CommandOutcome> first = leader.Node!.LeaseAsync([new LeaseSegment(new ShardId(0), near)], 60_000, CancellationToken.None).AsTask();
        Task<CommandOutcome> second = leader.Node.LeaseAsync([new LeaseSegment(new ShardId(0), far)], 60_000, CancellationToken.None).AsTask();
        cluster.RunUntil(() => first.IsCompleted, "the first is granted");
        long granted = cluster.Clock.MonotonicMicroseconds;
        cluster.RunUntil(() => second.IsCompleted, "what it left is granted");
        Assert.True(cluster.Clock.MonotonicMicroseconds - granted < 8_000, "without waiting for the next look at the clock");
    }

    [Fact]
    public void AGrantWhoseCallerIsGoneGoesBack()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 35);
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        SimulatedNode follower = cluster.Nodes.Find(node => node != leader)!;
        using var gone = new CancellationTokenSource();
        Task<CommandOutcome> waiting = cluster.LeaseAsync(follower, "work", 1, waitMs: 20_000, gone: gone.Token).AsTask();
        cluster.RunFor(500);
        Task<CommandOutcome> enqueued = cluster.EnqueueAsync(leader, "work", "1").AsTask();
        cluster.RunUntil(() => enqueued.IsCompleted, "the job is there");
        gone.Cancel();
        cluster.RunFor(2_000);
        CommandOutcome outcome = cluster.Await(cluster.LeaseAsync(leader, "work", 1, waitMs: 0), "a lease");
        Assert.Equal("1", Assert.Single(TestCommands.Grants(outcome)).Payload);
        Assert.True(waiting.IsCompleted);
    }

    [Fact]
    public void ARepeatUnderAKeyThatGoesTakesNothingFromTheFirst()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 36);
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        cluster.Enqueue(leader, "work", "1");
        byte[] body = TestCommands.Lease("work"u8, 1, 60_000, key: 7);
        (JobId job, ulong fence, _) = Assert.Single(TestCommands.Grants(Ask(leader, CancellationToken.None)));
        using var gone = new CancellationTokenSource();
        cluster.RunFor(200);
        LogIndex before = leader.Node!.Parts.Replica.Shards[0].Raft.LastIndex;
        Task<CommandOutcome> repeat = leader.Node.LeaseAsync([new LeaseSegment(default, body)], 0, gone.Token).AsTask();
        cluster.RunUntil(() => leader.Node.Parts.Replica.Shards[0].Raft.LastIndex > before, "the repeat stands in the log");
        Assert.False(repeat.IsCompleted);
        gone.Cancel();
        cluster.RunUntil(() => repeat.IsCompleted, "the repeat is answered");
        cluster.RunFor(1_000);
        ValueTask<CommandOutcome> ack = leader.Node.SubmitAsync(default, CommandType.Ack, TestCommands.Ack(job, fence), finishing: true);
        Assert.Equal(TokenStatus.Ok, TestCommands.Status(cluster.Await(ack, "an ack of what the first was told")));

        CommandOutcome Ask(SimulatedNode node, CancellationToken callerGone) =>
            cluster.Await(node.Node!.LeaseAsync([new LeaseSegment(default, body)], 0, callerGone), "a lease");
    }

    [Fact]
    public void ARepeatUnderAKeyGetsTheSameLeasesThoughNothingIsLeft()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 37);
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        SimulatedNode follower = cluster.Nodes.Find(node => node != leader)!;
        cluster.Enqueue(leader, "work", "1");
        byte[] body = TestCommands.Lease("work"u8, 1, 60_000, key: 7);
        foreach (SimulatedNode node in new[] { leader, leader, follower })
        {
            CommandOutcome outcome = cluster.Await(node.Node!.LeaseAsync([new LeaseSegment(default, body)], 0, default), "a lease");
            Assert.Equal("1", Assert.Single(TestCommands.Grants(outcome)).Payload);
        }
    }

    [Fact]
    public void ARepeatThatWaitsIsToldAtOnceWhatTheFirstWasGranted()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 38);
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        byte[] body = TestCommands.Lease("work"u8, 1, 60_000, key: 7);
        List<Task<CommandOutcome>> both = [.. cluster.Nodes.Take(2).Select(node =>
            node.Node!.LeaseAsync([new LeaseSegment(default, body)], 60_000, default).AsTask())];
        cluster.RunFor(500);
        cluster.Enqueue(leader, "work", "1");
        cluster.RunFor(200);
        Assert.All(both, task => Assert.True(task.IsCompleted));
        Assert.All(both, task => Assert.Single(TestCommands.Grants(cluster.Await(new ValueTask<CommandOutcome>(task), "a lease"))));
    }

    [Fact]
    public void AScheduledJobWakesItsWaiterWhenItFallsDue()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 36);
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        Task<CommandOutcome> waiting = cluster.LeaseAsync(leader, "work", 1, waitMs: 20_000).AsTask();
        cluster.Await(cluster.EnqueueAsync(leader, "work", "1", delayMs: 5_000), "an enqueue");
        long begun = cluster.Clock.MonotonicMicroseconds;
        cluster.RunUntil(() => waiting.IsCompleted, "the job is due");
        Assert.InRange(cluster.Clock.MonotonicMicroseconds - begun, 4_990_000, 5_100_000);
    }

    [Fact]
    public void AWaitOutlivesTheWindowOfRequestNumbers()
    {
        var cluster = new SimulatedCluster(1, 1, seed: 37);
        cluster.StartAll();
        SimulatedNode node = cluster.AwaitLeader();
        Task<CommandOutcome> waiting = cluster.LeaseAsync(node, "work", 1, waitMs: 60_000).AsTask();
        cluster.RunFor(10);
        for (int i = 0; i < 70; i++)
        {
            var others = new List<Task<CommandOutcome>>();
            for (int j = 0; j < 1_000; j++) others.Add(cluster.EnqueueAsync(node, "other", "1").AsTask());
            cluster.RunUntil(() => others.TrueForAll(task => task.IsCompleted), "the others are answered");
        }

        cluster.Enqueue(node, "work", "1");
        Assert.Single(TestCommands.Grants(cluster.Await(new ValueTask<CommandOutcome>(waiting), "the grant")));
    }
}
