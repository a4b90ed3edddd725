using RaftQueue.Consensus;
using RaftQueue.Runtime;

namespace RaftQueue.Simulation.Tests;

/// <summary>Members are taken out of a shard and put back by hand.</summary>
public sealed class MembershipFaultTests
{
    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void AVoterIsTakenOutAndComesBack(bool isLeader, bool promotesItself)
    {
        using SimulatedCluster cluster = Begun(out MembershipFaults faults);
        SimulatedNode leader = cluster.AwaitLeader();
        SimulatedNode node = isLeader ? leader : cluster.Nodes.Find(each => each != leader)!;
        Assert.Null(faults.Make(Event(FaultKind.RemoveMember, node), leader));
        cluster.RunUntil(() => IsVoter(cluster, node) == false, "it is out", 3_000);
        cluster.RunUntil(() => cluster.Leader() is { } now && now != node, "one of the others leads", 3_000);
        Assert.Equal(OutcomeKind.Applied, cluster.Enqueue(cluster.AwaitLeader(), "work", "without it").Kind);
        Assert.Equal("too few voters are left", faults.Make(Event(FaultKind.RemoveMember, cluster.Nodes.Find(each => each != node)!), cluster.AwaitLeader()));

        Assert.Null(faults.Make(Event(FaultKind.AddLearner, node, promotesItself ? 1 : 0), cluster.AwaitLeader()));
        if (!promotesItself)
        {
            Assert.NotNull(faults.Make(Event(FaultKind.PromoteLearner, node), cluster.AwaitLeader()));
            cluster.RunFor(1_000);
            Assert.False(IsVoter(cluster, node));
            cluster.RunUntil(() => faults.Make(Event(FaultKind.PromoteLearner, node), cluster.AwaitLeader()) is null, "it has caught up", 3_000);
        }

        cluster.RunUntil(() => IsVoter(cluster, node) == true, "it is back", 3_000);
        cluster.AwaitSameState();
    }

    [Fact]
    public void WhatIsNotWholeIsRestored()
    {
        using SimulatedCluster cluster = Begun(out MembershipFaults faults);
        SimulatedNode leader = cluster.AwaitLeader();
        Assert.Null(faults.Make(Event(FaultKind.RemoveMember, cluster.Nodes.Find(each => each != leader)!), leader));
        cluster.RunFor(1_000);
        cluster.RunUntil(
            () =>
            {
                faults.Restore();
                return cluster.Nodes.TrueForAll(node => IsVoter(cluster, node) == true);
            },
            "all are voters",
            5_000);
    }

    /// <summary>A node was away while another was put back that leads now: its own membership does not name the leader.</summary>
    [Fact]
    public void WhoDoesNotKnowThatTheLeaderIsAMemberIsReachedAllTheSame()
    {
        using SimulatedCluster cluster = Begun(out MembershipFaults faults, nodes: 5);
        SimulatedNode leader = cluster.AwaitLeader();
        SimulatedNode[] others = [.. cluster.Nodes.Where(node => node != leader)];
        (SimulatedNode back, SimulatedNode away) = (others[0], others[1]);
        Assert.Null(faults.Make(Event(FaultKind.RemoveMember, back), leader));
        cluster.RunUntil(() => IsVoter(cluster, back) == false, "it is out", 3_000);
        cluster.RunUntil(() => away.Node!.Parts.Replica.Shards[0].Raft.Membership?.Find(back.Id) is null, "the other one knows", 3_000);
        cluster.Crash(away, TestKit.CrashMode.ProcessDeath);
        Assert.Null(faults.Make(Event(FaultKind.AddLearner, back, 1), cluster.AwaitLeader()));
        cluster.RunUntil(() => IsVoter(cluster, back) == true, "it is back", 3_000);
        cluster.AwaitLeader().Node!.Parts.Replica.Post(new HandOver(default, back.Id));
        cluster.RunUntil(() => cluster.Leader() == back, "it leads", 3_000);
        cluster.Start(away);
        cluster.AwaitSameState();
        Assert.Equal(back, cluster.AwaitLeader());
    }

    [Fact]
    public void RunsFullOfMembershipChangesEndWell()
    {
        int removed = 0;
        int promoted = 0;
        for (ulong seed = 1; seed <= 4; seed++)
        {
            SeedPlan plan = SeedPlan.Draw(new RandomStreams(seed)) with
            {
                Nodes = seed % 2 == 0 ? 3 : 5,
                DurationMs = 15_000,
                FaultGapMs = 500,
                Weights = [(FaultPattern.ChangeMembers, 4), (FaultPattern.Die, 1), (FaultPattern.Isolate, 1), (FaultPattern.Wipe, 1)],
                WrongClocks = [1],
            };
            using SeedRun run = RunCase.Draw(seed, plan).Prepare();
            RunVerdict verdict = RunVerdict.Of(run);
            Assert.False(verdict.Failed, verdict.Failed ? $"{verdict.Headline}\n{verdict.Told()}" : "");
            removed += run.FaultsMade.GetValueOrDefault(FaultKind.RemoveMember);
            promoted += run.FaultsMade.GetValueOrDefault(FaultKind.PromoteLearner);
        }

        Assert.InRange(removed, 8, int.MaxValue);
        Assert.InRange(promoted, 1, int.MaxValue);
    }

    private static SimulatedCluster Begun(out MembershipFaults faults, int nodes = 3)
    {
        var cluster = new SimulatedCluster(nodes, 1, seed: 81);
        var budget = new DamageBudget(cluster, shards: 1);
        faults = new MembershipFaults(cluster, budget, cluster.Tell);
        cluster.StartAll();
        cluster.Enqueue(cluster.AwaitLeader(), "work", "1");
        cluster.AwaitSameState();
        cluster.RunUntil(
            () =>
            {
                budget.Observe();
                return budget.HasBegun;
            },
            "all are intact");
        cluster.RunFor(200);
        budget.Observe();
        return cluster;
    }

    /// <summary>By what the leader has committed; null while it is being changed.</summary>
    private static bool? IsVoter(SimulatedCluster cluster, SimulatedNode node)
    {
        if (cluster.Leader() is not { } leader) return null;
        RaftNode raft = leader.Node!.Parts.Replica.Shards[0].Raft;
        return raft.Membership is { IsJoint: false } membership && raft.MembershipIndex <= raft.CommitIndex ? membership.IsVoter(node.Id) : null;
    }

    private static FaultEvent Event(FaultKind kind, SimulatedNode other, long amount = 0) =>
        new(0, kind, FaultTarget.LeaderOf(0), FaultTarget.Node(other.Id.Value), Amount: amount);
}
