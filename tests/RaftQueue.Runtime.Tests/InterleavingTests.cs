using RaftQueue.Jobs;
using RaftQueue.Jobs.Commands;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;
using RaftQueue.Simulation;
using RaftQueue.TestKit;
using RaftQueue.Transport;

namespace RaftQueue.Runtime.Tests;

/// <summary>Single interleavings of loops and frames that went wrong once, each brought about on purpose.</summary>
public sealed class InterleavingTests
{
    [Fact]
    public void AnEmptyAnswerDoesNotHideAGrantThatIsNotAppliedHereYet()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 71);
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        SimulatedNode follower = AFollower(cluster);
        cluster.Enqueue(leader, "work", "1");
        cluster.AwaitSameState();
        LogIndex before = Applied(leader);
        follower.Loops!.Hold("apply", cluster.Clock.MonotonicMicroseconds + 2_000_000);
        Task<CommandOutcome> waiting = cluster.LeaseAsync(follower, "work", 1, waitMs: 0).AsTask();
        cluster.RunUntil(() => Applied(leader) > before, "the leader has granted it");

        // The leader knows nothing of this waiter any more; the request comes again and finds nothing.
        int toldEmpty = 0;
        cluster.Network.Sent = (_, _, kind, _, payload) =>
        {
            if (kind == FrameKind.Forward && payload[0] == (byte)ForwardKind.LeaseEmpty) toldEmpty++;
        };
        cluster.Network.Disconnect(leader.Id, follower.Id);
        cluster.RunUntil(() => toldEmpty > 0, "the repeat is answered empty", 1_000);
        cluster.RunFor(50);
        Assert.Equal(before, Applied(follower));
        Assert.False(waiting.IsCompleted);
        CommandOutcome outcome = cluster.Await(new ValueTask<CommandOutcome>(waiting), "what was applied");
        Assert.Equal("1", Assert.Single(TestCommands.Grants(outcome)).Payload);
    }

    [Fact]
    public void AReplyToARoundOfTheFormerLifeGrantsNoReadOfThisOne()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 72);
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        SimulatedNode follower = AFollower(cluster);
        var replies = new List<byte[]>();
        cluster.Network.Sent = (from, _, kind, _, payload) =>
        {
            if (from == leader.Id && kind == FrameKind.Forward && payload[0] == (byte)ForwardKind.ReadIndexReply) replies.Add(payload.ToArray());
        };
        Assert.True(cluster.Await(Read(follower), "a read of the first life").Decided);
        byte[] late = Assert.Single(replies);
        cluster.Crash(follower, CrashMode.ProcessDeath);
        LogIndex written = cluster.Enqueue(leader, "work", "1").Index;
        cluster.Start(follower);
        cluster.RunUntil(() => follower.Node!.IsReady && cluster.Network.IsConnected(leader.Id, follower.Id), "it is back");
        cluster.RunFor(500);

        // The leader answers nothing now: whatever grants this read is not its answer.
        leader.Loops!.Hold("replica", cluster.Clock.MonotonicMicroseconds + 150_000);
        Task<ReadOutcome> read = Read(follower).AsTask();
        cluster.RunFor(20);
        Assert.True(cluster.Network.Send(leader.Id, follower.Id, FrameKind.Forward, new ShardId(0), urgent: true, late));
        cluster.RunFor(20);
        Assert.False(read.IsCompleted);
        ReadOutcome outcome = cluster.Await(new ValueTask<ReadOutcome>(read), "the true answer");
        Assert.True(outcome.Decided && outcome.Index >= written);
    }

    [Fact]
    public void AWaiterWhoseCommandIsUnderWayWhenItsWaitEndsKeepsADeadline()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 73);
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        cluster.Enqueue(leader, "first", "1");
        cluster.Enqueue(leader, "second", "2");
        cluster.AwaitSameState();

        // Each is sent on its way for a job of its own, and the first takes both.
        Task<CommandOutcome> both = Lease(leader, ["first", "second"], 10, waitMs: 0);
        Task<CommandOutcome> second = Lease(leader, ["second"], 1, waitMs: 0);
        cluster.RunUntil(() => both.IsCompleted && second.IsCompleted, "both are answered", 500);
        Assert.Equal(2, TestCommands.Grants(cluster.Await(new ValueTask<CommandOutcome>(both), "the first")).Count);
        CommandOutcome outcome = cluster.Await(new ValueTask<CommandOutcome>(second), "the second");
        Assert.Equal((OutcomeKind.Applied, ResultCode.Empty), (outcome.Kind, outcome.Code));
    }

    [Fact]
    public void AWaiterThatLosesTheRaceWhileItsEmptyAnswerIsConfirmedKeepsADeadline()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 74);
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        for (int i = 0; i < 100; i++)
        {
            // Whoever waits for both queues takes both jobs, though the second waiter was sent on its way for one of them.
            Task<CommandOutcome> both = Lease(leader, ["first", "second"], 10, waitMs: 30_000);
            cluster.RunFor(5);
            Task<CommandOutcome> second = Lease(leader, ["second"], 1, waitMs: 20);
            cluster.RunFor(19);
            Task<CommandOutcome> one = cluster.EnqueueAsync(leader, "first", "1").AsTask();
            Task<CommandOutcome> other = cluster.EnqueueAsync(leader, "second", "2").AsTask();
            cluster.RunUntil(() => one.IsCompleted && other.IsCompleted && both.IsCompleted, "both jobs are leased", 500);
            cluster.RunUntil(() => second.IsCompleted, $"the second waiter of round {i} is answered", 500);
        }
    }

    private static SimulatedNode AFollower(SimulatedCluster cluster)
    {
        SimulatedNode leader = cluster.AwaitLeader();
        return cluster.Nodes.Find(node => node != leader)!;
    }

    private static LogIndex Applied(SimulatedNode node) => node.Node!.Status().Shards[0].AppliedIndex;

    private static ValueTask<ReadOutcome> Read(SimulatedNode node) =>
        node.Node!.ReadAsync(new ShardId(0), ReadConsistency.Linearizable, 0, static (_, _, _) => true);

    private static Task<CommandOutcome> Lease(SimulatedNode at, string[] queues, int maxJobs, long waitMs) =>
        at.Node!.LeaseAsync([new LeaseSegment(new ShardId(0), LeaseBody(queues, maxJobs))], waitMs, default).AsTask();

    private static byte[] LeaseBody(string[] queues, int maxJobs)
    {
        using var buffer = new PooledBuffer();
        var writer = new MessagePackWriter(buffer);
        LeaseCommand.WriteStart(writer, default, queues.Length);
        foreach (string queue in queues) writer.WriteString(System.Text.Encoding.UTF8.GetBytes(queue));
        LeaseCommand.WriteEnd(writer, maxJobs, 60_000, "tester"u8, 0, 8 << 20);
        return buffer.WrittenSpan.ToArray();
    }
}
