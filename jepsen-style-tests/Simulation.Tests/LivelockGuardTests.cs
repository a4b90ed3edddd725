using RaftQueue.Checkers;
using RaftQueue.Primitives;

namespace RaftQueue.Simulation.Tests;

public sealed class LivelockGuardTests
{
    [Fact]
    public void ALoopThatNeverRestsEndsTheRunAndIsNamed()
    {
        using var cluster = new SimulatedCluster(3, 1, seed: 5);
        cluster.StartAll();
        cluster.AwaitLeader();
        ILoopHandle loop = cluster[2].Loops!.Start("restless", new Restless());
        loop.Wake();
        var violated = Assert.Throws<PropertyViolatedException>(() => cluster.RunFor(1_000));
        Assert.StartsWith("P11: ", violated.Message, StringComparison.Ordinal);
        Assert.Contains("loop of node 2", violated.Message, StringComparison.Ordinal);
    }

    private sealed class Restless : ILoopBody
    {
        public long RunOnce() => 0;
    }
}
