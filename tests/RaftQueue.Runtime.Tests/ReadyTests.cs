using RaftQueue.Primitives;
using RaftQueue.Simulation;
using RaftQueue.TestKit;

namespace RaftQueue.Runtime.Tests;

/// <summary>A node that comes back is ready once it has what was committed when it heard of it, by whichever way.</summary>
public sealed class ReadyTests
{
    private static readonly string Big = $"\"{new string('x', 60_000)}\"";

    [Theory]
    [InlineData(5)] // by the log
    [InlineData(300)] // by a checkpoint of another
    public void ReadyMeansThatWhatTheLeaderSaidWasCommittedIsApplied(int jobs)
    {
        var cluster = new SimulatedCluster(3, 1, 308, options => options with { CheckpointLogMiB = 1 });
        cluster.StartAll();
        Enqueue(cluster, 80); // with a checkpoint the node knows that something is committed before it hears of anybody
        cluster.AwaitSameState();
        SimulatedNode node = cluster.Nodes.Find(each => each != cluster.AwaitLeader())!;
        cluster.Crash(node, CrashMode.ProcessDeath);
        Enqueue(cluster, jobs);
        LogIndex committed = cluster.AwaitLeader().Node!.Status().Shards[0].CommitIndex;
        cluster.Start(node);
        cluster.RunUntil(() => node.Node!.IsReady, "it is ready", 60_000, everyMs: 1);
        Assert.True(node.Node!.Status().Shards[0].AppliedIndex >= committed);
        Assert.Equal(jobs > 100, cluster.History.Contains("installed", StringComparison.Ordinal));
    }

    private static void Enqueue(SimulatedCluster cluster, int jobs)
    {
        for (int i = 0; i < jobs; i++)
        {
            cluster.Enqueue(cluster.AwaitLeader(), "work", Big);
            cluster.RunFor(40); // checkpoints are a second apart
        }
    }
}
