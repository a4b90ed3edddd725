using RaftQueue.Primitives;
using RaftQueue.Simulation;
using RaftQueue.TestKit;

namespace RaftQueue.Runtime.Tests;

/// <summary>Nodes that lack state fetch what differs, and only that, whatever happens on the way.</summary>
public sealed class TransferTests
{
    private const string CheckpointPath = "/data/shard-0/checkpoint";
    private const int BigBytes = 200_000;

    [Fact]
    public void AFollowerBehindTheLogFetchesOnlyWhatDiffers()
    {
        SimulatedCluster cluster = Loaded(51, jobs: 60);
        SimulatedNode behind = AFollower(cluster);
        cluster.Crash(behind, CrashMode.ProcessDeath);
        Load(cluster, 14);
        cluster.Start(behind);
        AwaitCaughtUp(cluster, behind);
        Assert.Contains("installed", cluster.History, StringComparison.Ordinal);
        Assert.InRange(cluster.Network.TransferBytes, 8 * BigBytes, 25 * BigBytes);

        // And it starts again from what it fetched, and goes on to write checkpoints of its own.
        cluster.Crash(behind, CrashMode.PowerLoss);
        Load(cluster, 8);
        cluster.Start(behind);
        AwaitCaughtUp(cluster, behind);
        Load(cluster, 20);
        AwaitCaughtUp(cluster, behind);
    }

    [Fact]
    public void AnEmptyNodeTakesTheStateOfAFollowerAndShowsHowFarItIs()
    {
        SimulatedCluster cluster = Loaded(52, jobs: 40);
        SimulatedNode leader = cluster.AwaitLeader();
        SimulatedNode victim = AFollower(cluster);
        cluster.Crash(victim, CrashMode.PowerLoss);
        cluster.Wipe(victim);
        var askedOf = new HashSet<NodeId>();
        cluster.Network.BeforeTransferAnswer = from => askedOf.Add(from);
        var seen = new List<TransferStatus>();
        cluster.AfterStep = () =>
        {
            if (victim.Node?.Status().Shards[0].Transfer is { } status && (seen.Count == 0 || seen[^1] != status)) seen.Add(status);
        };
        cluster.Start(victim);
        AwaitCaughtUp(cluster, victim);
        Assert.DoesNotContain(leader.Id, askedOf);
        Assert.Equal(["comparing", "fetching", "installing"], seen.Select(status => status.Phase).Distinct());
        Assert.Equal(askedOf, seen.Select(status => status.From).Where(from => !from.IsNone).ToHashSet());
        TransferStatus last = seen[^1];
        Assert.InRange(last.PagesNeeded, 34 * BigBytes / 4096, 44 * BigBytes / 4096);
        Assert.Equal((last.PagesNeeded, cluster.Network.TransferBytes), (last.PagesDone, last.Bytes));
        Assert.Null(victim.Node!.Status().Shards[0].Transfer);
    }

    [Fact]
    public void DamagedPagesAloneAreFetchedAgain()
    {
        SimulatedCluster cluster = Loaded(53, jobs: 60);
        SimulatedNode victim = AFollower(cluster);
        cluster.Crash(victim, CrashMode.ProcessDeath);
        long length = victim.Disk.ReadAll(CheckpointPath).Length;
        for (long offset = length / 4; offset < length; offset += length / 8) victim.Disk.FlipBit(CheckpointPath, offset, 3);
        Mark(victim, "damaged"); // as the node did that read one of them
        cluster.Start(victim);
        AwaitCaughtUp(cluster, victim);
        Assert.Contains("own pages were damaged", cluster.History, StringComparison.Ordinal);
        Assert.InRange(cluster.Network.TransferBytes, 1, 20 * BigBytes);
        Assert.False(victim.Disk.FileExists("/data/shard-0/damaged"));
    }

    [Fact]
    public void ANodeWhoseStateIsNotTheClustersIsRepairedWhereItDiffers()
    {
        SimulatedCluster cluster = Loaded(54, jobs: 60);
        SimulatedNode victim = AFollower(cluster);
        cluster.Crash(victim, CrashMode.ProcessDeath);
        Mark(victim, "repair");
        cluster.Start(victim);
        Assert.Equal(LogIndex.Zero, victim.Node!.Status().Shards[0].AppliedIndex);
        AwaitCaughtUp(cluster, victim);
        Assert.InRange(cluster.Network.TransferBytes, 0, 20 * BigBytes);
        Assert.False(victim.Disk.FileExists("/data/shard-0/repair"));
    }

    [Fact]
    public void TheSendersCheckpointMovesWhileItIsFetched()
    {
        SimulatedCluster cluster = Loaded(55, jobs: 60);
        SimulatedNode victim = AFollower(cluster);
        cluster.Crash(victim, CrashMode.PowerLoss);
        cluster.Wipe(victim);
        cluster.Network.TransferMicroseconds = 8_000_000;
        var indexes = new HashSet<LogIndex>();
        cluster.AfterStep = () =>
        {
            if (victim.Node?.Status().Shards[0].Transfer is { } status) indexes.Add(status.Index);
        };
        cluster.Start(victim);
        for (int i = 0; i < 40; i++)
        {
            Load(cluster, 1);
            cluster.RunFor(6_000);
        }

        cluster.Network.TransferMicroseconds = 300;
        AwaitCaughtUp(cluster, victim);
        Assert.InRange(indexes.Count(index => index > LogIndex.Zero), 3, 20);

        // What was fetched of the first one counts: everything once, and what came to it meanwhile.
        Assert.InRange(cluster.Network.TransferBytes, 60 * BigBytes, 150 * BigBytes);
    }

    [Fact]
    public void WhenTheSenderDiesAnotherGoesOn()
    {
        SimulatedCluster cluster = Loaded(56, jobs: 60, nodes: 5);
        SimulatedNode victim = AFollower(cluster);
        cluster.Crash(victim, CrashMode.PowerLoss);
        cluster.Wipe(victim);
        var died = new List<NodeId>();
        int answers = 0;
        cluster.Network.BeforeTransferAnswer = from =>
        {
            if (died.Count == 2 || ++answers % 70 != 0) return;
            died.Add(from);
            cluster.Crash(cluster[from.Value], CrashMode.ProcessDeath);
        };
        cluster.Start(victim);
        cluster.RunUntil(() => died.Count == 2, "two senders died");
        cluster.RunUntil(() => victim.Node!.Status().Shards[0].AppliedIndex > LogIndex.Zero, "a third one had the rest");
        Assert.InRange(cluster.Network.TransferBytes, 60 * BigBytes, 75 * BigBytes);
        foreach (NodeId id in died) cluster.Start(cluster[id.Value]);
        AwaitCaughtUp(cluster, victim);
    }

    [Fact]
    public void WithoutAnyPeerItWaitsAndGoesOnWithWhatItHas()
    {
        SimulatedCluster cluster = Loaded(57, jobs: 60);
        SimulatedNode victim = AFollower(cluster);
        cluster.Crash(victim, CrashMode.PowerLoss);
        cluster.Wipe(victim);
        int answers = 0;
        cluster.Network.BeforeTransferAnswer = _ =>
        {
            if (++answers == 100) cluster.Network.Isolate(victim.Id);
        };
        cluster.Start(victim);
        cluster.RunUntil(() => victim.Node!.Status().Shards[0].Transfer is { Phase: "waiting", PagesDone: > 100 }, "it waits", 180_000);
        cluster.RunFor(3_000);
        cluster.Network.Heal();
        AwaitCaughtUp(cluster, victim);
        Assert.InRange(cluster.Network.TransferBytes, 60 * BigBytes, 75 * BigBytes);
    }

    /// <summary>The second process opens the older checkpoint, applies the log behind it, and fetches only what the first had not yet.</summary>
    [Fact]
    public void AReceiverWithAnOlderStateThatIsKilledGoesOnWhereItWas()
    {
        SimulatedCluster cluster = Loaded(64, jobs: 30);
        SimulatedNode behind = AFollower(cluster);
        cluster.Crash(behind, CrashMode.ProcessDeath);
        Load(cluster, 60);
        cluster.Start(behind);
        LogIndex own = behind.Node!.Parts.Files[new ShardId(0)].Newest!.Index;
        TransferStatus? half = null;
        cluster.RunUntil(
            () => (half = behind.Node!.Status().Shards[0].Transfer) is { PagesNeeded: > 2_000 } status && status.PagesDone > status.PagesNeeded / 2,
            "half of it is here");
        long first = cluster.Network.TransferBytes;
        cluster.Crash(behind, CrashMode.ProcessDeath);
        cluster.Start(behind);
        Assert.Equal(own, behind.Node!.Parts.Files[new ShardId(0)].Newest!.Index);
        AwaitCaughtUp(cluster, behind);
        long second = cluster.Network.TransferBytes - first;

        // Besides the rest what was on its way or in the first one's buffer, and the table.
        Assert.InRange(second, 1, (half!.PagesNeeded * 4096L) - first + (10 * BigBytes));
    }

    [Fact]
    public void ANodeThatStopsWhileItFetchesEndsTheFetchingInItsOwnThread()
    {
        SimulatedCluster cluster = Loaded(59, jobs: 20);
        SimulatedNode victim = AFollower(cluster);
        cluster.Crash(victim, CrashMode.PowerLoss);
        cluster.Wipe(victim);
        cluster.Start(victim);
        cluster.RunUntil(() => victim.Node!.Status().Shards[0].Transfer is { Phase: "fetching" }, "it fetches");
        Assert.True(victim.Node!.Parts.Replica.Transfers.StopAsync().IsCompletedSuccessfully);
        Assert.Null(victim.Node.Status().Shards[0].Transfer);
    }

    [Fact]
    public void ApplyTakesOverACheckpointOnlyOnceConsensusKnowsOfIt()
    {
        SimulatedCluster cluster = Loaded(60, jobs: 20);
        SimulatedNode behind = AFollower(cluster);
        cluster.Crash(behind, CrashMode.ProcessDeath);
        Load(cluster, 14);
        cluster.Start(behind);
        AwaitInstalling(cluster, behind);
        LogIndex before = behind.Node!.Status().Shards[0].AppliedIndex;
        behind.Loops!.Hold("replica", cluster.Clock.MonotonicMicroseconds + 200_000);
        cluster.RunUntil(() => cluster.History.Contains(" installed, ", StringComparison.Ordinal), "it is in the file", 150);
        cluster.RunFor(20);
        Assert.Equal(before, behind.Node!.Status().Shards[0].AppliedIndex);
        AwaitCaughtUp(cluster, behind);
    }

    [Fact]
    public void TheLogHoldsWhatConsensusTookBeforeACheckpointTakesItsPlace()
    {
        SimulatedCluster cluster = Loaded(61, jobs: 20);
        SimulatedNode leader = cluster.AwaitLeader();
        SimulatedNode behind = AFollower(cluster);
        SimulatedNode keeper = cluster.Nodes.Find(node => node != leader && node != behind)!;

        // One node writes no checkpoint and so keeps the log that the follower lacks.
        keeper.Loops!.Hold("checkpoint", long.MaxValue);
        cluster.Crash(behind, CrashMode.ProcessDeath);
        Load(cluster, 14);
        cluster.Start(behind);
        AwaitInstalling(cluster, behind);
        LogIndex installed = behind.Node!.Status().Shards[0].Transfer!.Index;
        behind.Loops!.Hold("checkpoint", cluster.Clock.MonotonicMicroseconds + 10_000_000);
        leader.Node!.Parts.Replica.Post(new HandOver(new ShardId(0), keeper.Id));
        LogIndex before = LastIndex(behind);
        cluster.RunUntil(() => LastIndex(behind) > before, "the keeper leads and sends its log");

        // The rest of the log and the word that the checkpoint is installed are there in one round of the loop.
        Assert.True(LastIndex(behind) < installed);
        behind.Loops!.Hold("replica", cluster.Clock.MonotonicMicroseconds + 100_000);
        behind.Loops!.Hold("checkpoint", cluster.Clock.MonotonicMicroseconds + 50_000);
        AwaitCaughtUp(cluster, behind);
        Assert.Contains(" installed, ", cluster.History, StringComparison.Ordinal);

        static LogIndex LastIndex(SimulatedNode node) => node.Node!.Parts.Replica.Shards[0].Raft.LastIndex;
    }

    [Fact]
    public void AGrantInEntriesThatACheckpointCoversIsNotAnsweredAsNothing()
    {
        SimulatedCluster cluster = Loaded(63, jobs: 10);
        SimulatedNode leader = cluster.AwaitLeader();
        SimulatedNode behind = AFollower(cluster);
        Task<CommandOutcome> waiting = cluster.LeaseAsync(behind, "other", 1, waitMs: 15_000).AsTask();
        cluster.RunFor(100);
        cluster.Network.Isolate(behind.Id);
        cluster.Enqueue(leader, "other", "1");
        cluster.RunUntil(() => leader.Node!.Parts.Applies[0].Store.ReadyCount("other"u8) == 0, "it is granted to who cannot hear of it", 1_000);
        Load(cluster, 14);
        Assert.False(waiting.IsCompleted);
        cluster.Network.Heal();
        cluster.RunUntil(() => waiting.IsCompleted, "an answer");
        Assert.Contains(" installed, ", cluster.History, StringComparison.Ordinal);
        Assert.Equal(OutcomeKind.Unknown, cluster.Await(new ValueTask<CommandOutcome>(waiting), "it").Kind);
        AwaitCaughtUp(cluster, behind);
    }

    [Fact]
    public void AReadOnANodeThatIsFarBehindIsAnsweredInTime()
    {
        var cluster = new SimulatedCluster(3, 1, seed: 62, options => options with { RequestTimeoutMs = 3_000, WalSegmentBytes = 16 << 20 });
        cluster.StartAll();
        SimulatedNode behind = AFollower(cluster);
        cluster.Crash(behind, CrashMode.ProcessDeath);
        Load(cluster, 40);
        cluster.Start(behind);
        behind.Loops!.Slow("apply", 1_000_000, cluster.Clock.MonotonicMicroseconds + 60_000_000);
        cluster.RunUntil(() => behind.Node!.Parts.Replica.Shards[0].Raft.CommitIndex > new LogIndex(40), "it knows how far behind it is");
        ShardApply apply = behind.Node!.Parts.Applies[0];
        Assert.True(apply.Store.AppliedIndex < new LogIndex(20));
        long begun = cluster.Clock.MonotonicMicroseconds;
        ReadOutcome read = cluster.Await(Read(behind), "an answer");
        Assert.Equal((false, true), (read.Decided, read.IsBehind));
        Assert.InRange(cluster.Clock.MonotonicMicroseconds - begun, 3_000_000, 4_500_000);
        Assert.False(behind.Node.IsReady);
        Assert.Equal(0, apply.ReadsWaiting);

        // What it has applied may be read at any time, and everything once it has caught up.
        ReadOutcome stale = cluster.Await(behind.Node.ReadAsync(new ShardId(0), ReadConsistency.Stale, 0, static (_, _, _) => true), "a stale read");
        Assert.True(stale.Decided);
        AwaitCaughtUp(cluster, behind);
        Assert.True(cluster.Await(Read(behind), "a read").Decided);

        static ValueTask<ReadOutcome> Read(SimulatedNode node) =>
            node.Node!.ReadAsync(new ShardId(0), ReadConsistency.Linearizable, 0, static (_, _, _) => true);
    }

    [Theory]
    [InlineData(CrashMode.ProcessDeath)]
    [InlineData(CrashMode.PowerLoss)]
    public void TheReceiverDiesAtAnyOfItsDiskOperations(CrashMode mode)
    {
        for (int at = 0; at < 60; at += 4)
        {
            SimulatedCluster cluster = Loaded(58, jobs: 12);
            SimulatedNode victim = AFollower(cluster);
            cluster.Crash(victim, CrashMode.ProcessDeath);
            Load(cluster, 12);
            bool crashed = false;
            cluster.NodeFailed = (node, exception) =>
            {
                if (!IsPlanned(exception)) return false;
                crashed = true;
                cluster.Crash(node, mode);
                return true;
            };
            cluster.Start(victim);
            cluster.RunUntil(() => victim.Node!.Status().Shards[0].Transfer is not null, "it fetches");
            victim.Disk.CrashAtOperation = victim.Disk.Operations + 1 + at;
            cluster.RunUntil(() => crashed || victim.Node!.IsReady, "it died or was done before");
            victim.Disk.CrashAtOperation = null;
            if (crashed) cluster.Start(victim);
            AwaitCaughtUp(cluster, victim);
        }
    }

    private static bool IsPlanned(Exception exception) =>
        exception is SimulatedCrashException || (exception.InnerException is { } inner && IsPlanned(inner));

    private static void Mark(SimulatedNode node, string name)
    {
        using IDiskFile mark = node.Disk.Open("/data/shard-0/" + name, create: true);
        mark.DataSync();
        node.Disk.SyncDirectory("/data/shard-0");
    }

    private static SimulatedCluster Loaded(ulong seed, int jobs, int nodes = 3)
    {
        var cluster = new SimulatedCluster(nodes, 1, seed, options => options with { CheckpointLogMiB = 1 });
        cluster.StartAll();
        Load(cluster, jobs);
        return cluster;
    }

    private static void Load(SimulatedCluster cluster, int jobs)
    {
        string big = $"\"{new string('x', BigBytes)}\"";
        for (int i = 0; i < jobs; i++)
        {
            cluster.Enqueue(cluster.AwaitLeader(), "work", big);
            cluster.RunFor(300);
        }
    }

    private static SimulatedNode AFollower(SimulatedCluster cluster)
    {
        SimulatedNode leader = cluster.AwaitLeader();
        return cluster.Nodes.Find(node => node != leader)!;
    }

    /// <summary>All is fetched, and apply is being told to stay below the checkpoint.</summary>
    private static void AwaitInstalling(SimulatedCluster cluster, SimulatedNode node)
    {
        cluster.RunUntil(() => node.Node!.Status().Shards[0].Transfer is { Phase: "installing" }, "all is fetched");
    }

    private static void AwaitCaughtUp(SimulatedCluster cluster, SimulatedNode node)
    {
        cluster.RunUntil(
            () => node.Node!.IsReady && node.Node.Status().Shards[0].AppliedIndex == cluster.AwaitLeader().Node!.Status().Shards[0].LastIndex,
            $"node {node.Id} has caught up",
            60_000);
        cluster.AwaitSameState();
    }
}
