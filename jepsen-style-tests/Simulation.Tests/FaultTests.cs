using RaftQueue.Primitives;
using RaftQueue.Runtime;
using RaftQueue.TestKit;

namespace RaftQueue.Simulation.Tests;

/// <summary>Faults do what their names say, and runs that are full of one kind end well.</summary>
public sealed class FaultTests
{
    [Fact]
    public void AtASilentPowerLossPeersSeeNothingUntilTheNodeIsBack()
    {
        using var cluster = new SimulatedCluster(3, 1, seed: 41);
        cluster.StartAll();
        SimulatedNode leader = cluster.AwaitLeader();
        List<SimulatedNode> others = cluster.Nodes.FindAll(node => node != leader);
        cluster.Crash(leader, CrashMode.PowerLoss, silently: true);
        Assert.All(others, other => Assert.True(Sees(other, leader)));
        long begin = cluster.Clock.MonotonicMicroseconds;
        cluster.RunUntil(() => cluster.Leader() is not null, "another leads", 2_000);
        // Nobody was told by a closed connection: an election timeout had to pass.
        Assert.InRange(cluster.Clock.MonotonicMicroseconds - begin, 200_000, 2_000_000);
        Assert.All(others, other => Assert.True(Sees(other, leader)));

        // What the machine does not know any more breaks when it calls again.
        Incarnation before = others[0].Node!.Parts.Replica.Peers.HandshakeOf(leader.Id)!.Incarnation;
        cluster.Start(leader);
        cluster.AwaitSameState();
        Assert.All(others, other => Assert.True(Sees(other, leader) && Sees(leader, other)));
        Assert.Equal(before, others[0].Node!.Parts.Replica.Peers.HandshakeOf(leader.Id)!.Incarnation);
        Assert.Equal(OutcomeKind.Applied, cluster.Enqueue(leader, "work", "1").Kind);
    }

    [Fact]
    public void OfTwoThatVanishOneAfterTheOtherBothComeBack()
    {
        using var cluster = new SimulatedCluster(3, 1, seed: 42);
        cluster.StartAll();
        cluster.AwaitLeader();
        cluster.Crash(cluster[1], CrashMode.PowerLoss, silently: true);
        cluster.Crash(cluster[2], CrashMode.PowerLoss, silently: true);
        Assert.False(cluster.Network.IsConnected(cluster[1].Id, cluster[2].Id));
        cluster.RunFor(500);
        cluster.Start(cluster[2]);
        cluster.RunFor(500);
        cluster.Start(cluster[1]);
        cluster.AwaitLeader();
        cluster.AwaitSameState();
    }

    [Fact]
    public void ABrokenDeviceFailsUntilItWorksAgain()
    {
        using var cluster = new SimulatedCluster(3, 1, seed: 43);
        int failed = 0;
        cluster.NodeFailed = (node, _) =>
        {
            failed++;
            cluster.Crash(node, CrashMode.ProcessDeath);
            return true;
        };
        cluster.StartAll();
        SimulatedNode broken = cluster.AwaitLeader();
        broken.Disk.Broken = BrokenParts.All;
        ValueTask<CommandOutcome> open = cluster.EnqueueAsync(cluster.Nodes.Find(node => node != broken)!, "work", "1");
        Assert.Equal(OutcomeKind.Applied, cluster.Await(open, "an answer from the others").Kind);
        Assert.Equal((1, false), (failed, broken.IsRunning));
        Assert.Throws<NodeStartException>(() => cluster.Start(broken));
        cluster.Network.Leave(broken.Id);
        broken.Disk.Broken = BrokenParts.None;
        broken.Disk.Crash(CrashMode.PowerLoss);
        cluster.Start(broken);
        cluster.AwaitSameState();
    }

    /// <summary>Kinds that only start, rename or take space meet are reached, and the errors do happen.</summary>
    [Fact]
    public void ErrorsOfRareOperationsAndBrokenDevicesLoseNothing()
    {
        var made = new HashSet<FaultKind>();
        long errors = 0;
        for (ulong seed = 1; seed <= 6; seed++) errors += Passes(Often(seed, FaultPattern.RareDiskError, FaultPattern.BreakDisk), made);
        Assert.Superset(
            new HashSet<FaultKind>
            {
                FaultKind.FailCreate, FaultKind.FailAllocate, FaultKind.FailSetLength, FaultKind.FailRename, FaultKind.FailDelete,
                FaultKind.FailSyncDirectory, FaultKind.BreakDisk,
            },
            made);
        Assert.InRange(errors, 30, long.MaxValue);
    }

    [Fact]
    public void WhomNoClientReachesLeadsOn()
    {
        var made = new HashSet<FaultKind>();
        for (ulong seed = 1; seed <= 2; seed++) Passes(Often(seed, FaultPattern.CutClients), made);
        Assert.Contains(FaultKind.CutClients, made);
        RunCase none = Often(3, FaultPattern.CutClients);
        FaultSchedule all = new([.. Enumerable.Range(1, 3).Select(node => new FaultEvent(0, FaultKind.CutClients, FaultTarget.Node(node), DurationMs: 60_000))]);
        using SeedRun run = (none with { Schedule = all }).Prepare();
        run.Run();
        // Those that asked at the very first moment got no answer, and nobody asks again before the end of the run, when everything heals.
        IEnumerable<Checkers.Operation> ofClients = run.History.Operations.Where(call => call.Client >= 0);
        Assert.InRange(ofClients.Count(), 0, 4);
    }

    [Fact]
    public void ARingOfThreeIsOneWayAndABridgeHasBothSides()
    {
        IReadOnlyList<FaultEvent> rings = Often(5, FaultPattern.Ring).Schedule.Events;
        Assert.NotEmpty(rings);
        foreach (FaultEvent ring in rings)
        {
            for (int node = 0; node < 3; node++)
            {
                Assert.Single(Enumerable.Range(0, 3), to => to != node && !IsCut(ring, node, to));
                Assert.Single(Enumerable.Range(0, 3), from => from != node && !IsCut(ring, from, node));
            }
        }

        IReadOnlyList<FaultEvent> bridges = Often(5, FaultPattern.Bridge).Schedule.Events;
        Assert.NotEmpty(bridges);
        foreach (FaultEvent bridge in bridges)
        {
            Assert.Single(Enumerable.Range(0, 3), node => Enumerable.Range(0, 3).All(other => !IsCut(bridge, node, other) && !IsCut(bridge, other, node)));
        }
    }

    private static bool IsCut(FaultEvent fault, int from, int to) => ((fault.Amount >> ((from * NetworkFaults.Width) + to)) & 1) == 1;

    private static bool Sees(SimulatedNode one, SimulatedNode other) => one.Node!.Parts.Replica.Peers.IsConnected(other.Id);

    private static RunCase Often(ulong seed, params FaultPattern[] patterns)
    {
        SeedPlan plan = SeedPlan.Draw(new RandomStreams(seed)) with
        {
            Nodes = 3,
            Shards = 1,
            DurationMs = 12_000,
            FaultGapMs = 300,
            Weights = [.. patterns.Select(pattern => (pattern, 1))],
            WrongClocks = [1],
            Weather = new NetworkWeather(),
        };
        return RunCase.Draw(seed, plan) with { Workload = new Workload(1, 4, 2, 20, 20) };
    }

    /// <summary>How many operations of disks failed in it.</summary>
    private static long Passes(RunCase run, HashSet<FaultKind> made)
    {
        using SeedRun prepared = run.Prepare();
        RunVerdict verdict = RunVerdict.Of(prepared);
        Assert.False(verdict.Failed, verdict.Failed ? $"{verdict.Headline}\n{verdict.Told()}" : "");
        made.UnionWith(prepared.FaultsMade.Keys);
        return prepared.DiskErrors;
    }
}
