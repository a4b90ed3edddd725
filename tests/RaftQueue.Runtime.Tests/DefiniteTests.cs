using RaftQueue.Jobs;
using RaftQueue.Primitives;
using RaftQueue.Simulation;

namespace RaftQueue.Runtime.Tests;

/// <summary>"Not applied" is said only of what nobody may still apply.</summary>
public sealed class DefiniteTests
{
    [Fact]
    public void TheRefusalOfASecondCopyDecidesNothing()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 96);
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        SimulatedNode follower = cluster.Nodes.Find(node => node != leader)!;
        cluster.Enqueue(follower, "work", "0");

        // The first copy waits at the leader; the second one is refused.
        leader.Loops!.Hold("replica", cluster.Clock.MonotonicMicroseconds + 100_000);
        Task<CommandOutcome> enqueued = cluster.EnqueueAsync(follower, "work", "1").AsTask();
        PendingRequest request = AwaitCopies(cluster, follower, 1);
        RequestRouter router = follower.Node!.Parts.Replica.Shards[0].Router;
        router.Reconnected(leader.Id, cluster.Clock.MonotonicMicroseconds);
        follower.Node.Parts.Replica.Handle!.Wake();
        AwaitCopies(cluster, follower, 2);
        router.Rejected(leader.Id, NotAppliedReason.DiskFull, request.Number);
        Assert.False(enqueued.IsCompleted, "the first copy may still be applied");
        CommandOutcome outcome = cluster.Await(new ValueTask<CommandOutcome>(enqueued), "what became of it");
        Assert.Equal((OutcomeKind.Applied, ResultCode.Ok), (outcome.Kind, outcome.Code));
        CommandOutcome lease = cluster.Await(cluster.LeaseAsync(leader, "work", 10, waitMs: 0), "a lease");
        Assert.Equal(["0", "1"], TestCommands.Grants(lease).Select(grant => grant.Payload));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ALeaseRequestToSeveralShardsIsUnknownWhenOneOfThemMayHaveGrantedIt(bool unknownFirst)
    {
        var cluster = new SimulatedCluster(3, 2, seed: 97);
        cluster.StartAll();
        SimulatedNode node = cluster.AwaitLeader();
        cluster.AwaitLeader(shard: 1);
        LeaseSegment[] segments =
        [
            new LeaseSegment(new ShardId(0), TestCommands.Lease("none"u8, 1, 60_000)),
            new LeaseSegment(new ShardId(1), TestCommands.Lease("nothing"u8, 1, 60_000)),
        ];
        Task<CommandOutcome> waiting = node.Node!.LeaseAsync(segments, 30_000, CancellationToken.None).AsTask();
        cluster.RunFor(1_000);
        PendingRequest unknown = Assert.Single(Open(node, 0));
        PendingRequest refused = Assert.Single(Open(node, 1));
        CommandOutcome refusal = CommandOutcome.NotApplied(new ShardId(1), NotAppliedReason.Stopping);
        if (!unknownFirst) Decide(node, refused, refusal);
        Decide(node, unknown, CommandOutcome.Unknown(new ShardId(0)));
        if (unknownFirst) Decide(node, refused, refusal);
        Assert.Equal(OutcomeKind.Unknown, cluster.Await(new ValueTask<CommandOutcome>(waiting), "an answer").Kind);
    }

    private static void Decide(SimulatedNode node, PendingRequest request, CommandOutcome outcome)
    {
        Assert.True(node.Node!.Parts.Shared.Replies.TryTake(request.Number, out _));
        request.Complete(outcome);
    }

    private static PendingRequest AwaitCopies(SimulatedCluster cluster, SimulatedNode node, int copies)
    {
        PendingRequest? request = null;
        cluster.RunUntil(() => (request = Open(node, 0).SingleOrDefault())?.Copies == copies, $"{copies} copies have left", 50);
        return request!;
    }

    private static List<PendingRequest> Open(SimulatedNode node, ushort shard)
    {
        var open = new List<PendingRequest>();
        node.Node!.Parts.Shared.Replies.CopyTo(new ShardId(shard), open);
        return open;
    }
}
